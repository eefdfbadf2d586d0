// Whatever is given as a cron line: it is refused, or the next time lies in the future.

#include <stdexcept>

#include "relay/cron.hpp"
#include "test/fuzz/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const auto schedule = relay::schedule::parse(text, "UTC");
        const auto after = std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 50 + size));
        if (const auto next = schedule.next(after)) fuzz::require(*next > after);
    } catch (const std::invalid_argument&) {
    }
    return 0;
}
