#include "conf/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace conf {
namespace {

using unit = std::pair<std::string_view, std::uint64_t>;

constexpr std::array<unit, 5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<unit, 6> size_units{{{"GiB", 1ULL << 30},
                                          {"MiB", 1ULL << 20},
                                          {"KiB", 1ULL << 10},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"kB", 1'000}}};

template <std::size_t N>
std::optional<std::uint64_t> factor_of(const std::array<unit, N>& units, std::string_view name) {
    const auto found = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.first == name; });
    return found == units.end() ? std::nullopt : std::optional{found->second};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Appends a decimal digit; false when it does not fit.
bool append(std::uint64_t& number, char digit) {
    return !__builtin_mul_overflow(number, 10U, &number) &&
           !__builtin_add_overflow(number, static_cast<unsigned>(digit - '0'), &number);
}

/// A decimal number and what follows it: digits * 10^-decimals.
struct quantity {
    std::uint64_t digits = 0;
    std::uint64_t scale = 1;  // 10^decimals
    std::string_view unit;
    bool fits = true;
};

std::optional<quantity> split(std::string_view text) {
    quantity q;
    std::size_t at = 0;
    const auto take_digits = [&] {
        const auto from = at;
        for (; at < text.size() && is_digit(text[at]); ++at) q.fits = q.fits && append(q.digits, text[at]);
        return at - from;
    };
    if (take_digits() == 0) return std::nullopt;
    if (at < text.size() && text[at] == '.') {
        ++at;
        const auto decimals = take_digits();
        if (decimals == 0) return std::nullopt;
        for (std::size_t i = 0; i < decimals && q.fits; ++i) q.fits = append(q.scale, '0');
    }
    q.unit = text.substr(at);
    return q;
}

/// The largest unit that divides the value, so that nothing is lost.
template <std::size_t N>
std::string print(std::uint64_t value, const std::array<unit, N>& units) {
    if (value == 0) return "0";
    for (const auto& [name, factor] : units)
        if (value % factor == 0) return fmt::format("{}{}", value / factor, name);
    return std::to_string(value);
}

}  // namespace

milliseconds parse_duration(std::string_view text) {
    const auto q = split(text);
    if (!q) throw wrong_value{"a duration such as 250ms, 5s, 2m, 12h or 30d"};
    if (q->unit.empty() && q->digits == 0 && q->fits) return milliseconds{0};
    const auto factor = factor_of(duration_units, q->unit);
    if (!factor) throw wrong_value{"a duration with its unit, one of ms, s, m, h or d, such as 250ms, 5s or 30d"};

    std::uint64_t scaled = 0;
    if (!q->fits || __builtin_mul_overflow(q->digits, *factor, &scaled) ||
        scaled / q->scale > static_cast<std::uint64_t>(longest_duration.count()))
        throw wrong_value{"a duration of at most " + print_duration(longest_duration)};
    if (scaled % q->scale != 0) throw wrong_value{"a duration of whole milliseconds"};
    return milliseconds{static_cast<std::int64_t>(scaled / q->scale)};
}

std::string print_duration(milliseconds duration) {
    if (duration.count() < 0)
        return fmt::format("{}ms", duration.count());  // no setting is negative; a log line may be
    return print(static_cast<std::uint64_t>(duration.count()), duration_units);
}

byte_size parse_size(std::string_view text) {
    const auto q = split(text);
    if (!q || q->scale != 1) throw wrong_value{"a size in bytes such as 512, 64KiB, 16MiB or 1GiB"};
    const auto factor = q->unit.empty() ? std::optional<std::uint64_t>{1} : factor_of(size_units, q->unit);
    if (!factor) throw wrong_value{"a size in bytes, or in KiB, MiB, GiB, kB, MB or GB, such as 64KiB"};

    byte_size size;
    if (!q->fits || __builtin_mul_overflow(q->digits, *factor, &size.count))
        throw wrong_value{"a size of less than 2^64 bytes"};
    return size;
}

std::string print_size(byte_size size) {
    static constexpr std::array<unit, 3> binary{size_units[0], size_units[1], size_units[2]};
    return print(size.count, binary);
}

}  // namespace conf
