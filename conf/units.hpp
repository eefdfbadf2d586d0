#pragma once
// conf/units.hpp - durations and sizes as people write them.

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

#include "conf/settings.hpp"

namespace conf {

/// A text that is not the value it should be. what() says what is expected instead, ready to follow "expected ", and
/// never contains the text itself.
class wrong_value : public std::invalid_argument {
    using invalid_argument::invalid_argument;
};

/// Longer than any setting needs, and far from the limits of arithmetic on epoch milliseconds.
inline constexpr milliseconds longest_duration = std::chrono::hours{24 * 36'500};

/// Reads a number with its unit: 250ms, 1.5s, 2m, 12h, 30d; or 0, which needs none. A fraction must come to whole
/// milliseconds. Throws wrong_value, also for what is negative or longer than longest_duration.
milliseconds parse_duration(std::string_view text);

/// The shortest exact spelling, which parse_duration reads back: 90'000 ms is "90s", 2'592'000'000 ms is "30d".
std::string print_duration(milliseconds duration);

/// Reads a whole number of bytes with an optional unit: 512, 64KiB, 16MiB, 1GiB, or decimal kB, MB, GB.
/// Throws wrong_value, also for what does not fit 64 bits.
byte_size parse_size(std::string_view text);

/// The shortest exact spelling with a binary unit, which parse_size reads back: 16'777'216 is "16MiB".
std::string print_size(byte_size size);

}  // namespace conf
