// Whatever is given as a duration or a size: it is refused, or means the same when it is printed and read again.

#include "conf/units.hpp"

#include "test/fuzz/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const auto duration = conf::parse_duration(text);
        fuzz::require(conf::parse_duration(conf::print_duration(duration)) == duration);
    } catch (const conf::wrong_value&) {
    }
    try {
        const auto bytes = conf::parse_size(text);
        fuzz::require(conf::parse_size(conf::print_size(bytes)) == bytes);
    } catch (const conf::wrong_value&) {
    }
    return 0;
}
