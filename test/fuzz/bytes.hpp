#pragma once
// test/fuzz/bytes.hpp - what libFuzzer gives, cut into the texts that a target wants.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fuzz {

class bytes {
  public:
    bytes(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

    /// Up to the next line that is nothing but "--"; what a seed can be written with by hand.
    std::string_view part() {
        constexpr std::string_view mark = "\n--\n";
        const auto end = rest_.find(mark);
        const auto taken = rest_.substr(0, end);
        rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + mark.size());
        return taken;
    }
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
};

/// A promise that was broken is a crash, also where asserts are off.
inline void require(bool kept) {
    if (!kept) __builtin_trap();
}

}  // namespace fuzz
