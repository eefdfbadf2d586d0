#include "sidecar/instant.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <stdexcept>

#include "conf/units.hpp"

namespace sidecar {
namespace {

using namespace std::chrono;

/// Takes a text apart from its start; `ok` stays false after the first thing that is not as expected.
struct reader {
    std::string_view rest;
    bool ok = true;

    int number(std::size_t digits) {
        int value = 0;
        const auto part = rest.substr(0, digits);
        const auto read = std::from_chars(part.data(), part.data() + part.size(), value);
        ok = ok && part.size() == digits && read.ec == std::errc{} && read.ptr == part.data() + digits && value >= 0;
        rest.remove_prefix(part.size());
        return value;
    }
    bool take(std::string_view any_of) {
        if (rest.empty() || any_of.find(rest.front()) == any_of.npos) return false;
        rest.remove_prefix(1);
        return true;
    }
    void expect(std::string_view any_of) { ok = take(any_of) && ok; }
    bool in_range(int value, int least, int most) { return ok = ok && value >= least && value <= most; }
};

milliseconds fraction(reader& in) {
    milliseconds value{0};
    if (!in.take(".")) return value;
    bool any = false;
    for (milliseconds unit = 100ms; !in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9'; unit /= 10) {
        value += unit * (in.rest.front() - '0');
        in.rest.remove_prefix(1);
        any = true;
    }
    in.ok = in.ok && any;
    return value;
}

minutes offset(reader& in) {
    if (in.take("Zz")) return 0min;
    const bool west = !in.rest.empty() && in.rest.front() == '-';
    in.expect("+-");
    const int hour = in.number(2);
    in.expect(":");
    const int minute = in.number(2);
    in.in_range(hour, 0, 23);
    in.in_range(minute, 0, 59);
    return (west ? -1 : 1) * (hours(hour) + minutes(minute));
}

std::optional<outbox::epoch_ms> point_in_time(std::string_view text) {
    reader in{text};
    const auto y = in.number(4);
    in.expect("-");
    const auto m = in.number(2);
    in.expect("-");
    const auto d = in.number(2);
    const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
    if (!in.ok || !date.ok()) return std::nullopt;
    milliseconds time = sys_days(date).time_since_epoch();
    if (!in.rest.empty()) {
        in.expect("Tt ");
        const int hour = in.number(2);
        in.expect(":");
        const int minute = in.number(2);
        in.expect(":");
        const int second = in.number(2);
        in.in_range(hour, 0, 23);
        in.in_range(minute, 0, 59);
        in.in_range(second, 0, 60);
        time += hours(hour) + minutes(minute) + seconds(second) + fraction(in);
        time -= offset(in);
    }
    if (!in.ok || !in.rest.empty()) return std::nullopt;
    return time.count();
}

}  // namespace

moment parse_moment(std::string_view text) {
    if (const auto point = point_in_time(text)) return *point;
    try {
        return conf::parse_duration(text);
    } catch (const conf::wrong_value&) {
        throw std::invalid_argument("expected a time such as 2h, 30d or 2026-11-21T08:30:00Z");
    }
}

outbox::epoch_ms resolved(const moment& when, outbox::epoch_ms now) {
    if (const auto* ago = std::get_if<milliseconds>(&when)) return now - ago->count();
    return std::get<outbox::epoch_ms>(when);
}

std::string utc_text(outbox::epoch_ms time) {
    constexpr outbox::epoch_ms first = -62'167'219'200'000, last = 253'402'300'799'999;  // the years 0000 to 9999
    if (time < first || time > last) return std::to_string(time);
    const sys_time<milliseconds> point{milliseconds(time)};
    const auto midnight = floor<days>(point);
    const year_month_day date(midnight);
    const hh_mm_ss clock(point - midnight);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace sidecar
