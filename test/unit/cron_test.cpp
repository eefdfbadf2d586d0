#include "relay/cron.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <set>
#include <stdexcept>

using namespace std::chrono;
using namespace std::chrono_literals;
using relay::schedule;

namespace {

using minute_point = sys_time<minutes>;

minute_point at(int y, unsigned m, unsigned d, int hour = 0, int minute = 0) {
    return sys_days{year{y} / month{m} / day{d}} + hours{hour} + minutes{minute};
}

std::optional<minute_point> next(std::string_view expression, std::string_view zone, minute_point after) {
    const auto found = schedule::parse(expression, zone).next(after);
    return found ? std::optional(floor<minutes>(*found)) : std::nullopt;
}

std::string why_not(std::string_view expression, std::string_view zone = "UTC") {
    try {
        schedule::parse(expression, zone);
        return "";
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
}

// A field as text, and what it means by the same throw of the dice.
struct field {
    std::string text;
    std::set<unsigned> values;
};

field any_field(unsigned low, unsigned high, std::mt19937_64& random) {
    const auto number = [&](unsigned from, unsigned to) {
        return static_cast<unsigned>(from + random() % (to - from + 1));
    };
    field made;
    const auto add = [&](std::string text, unsigned from, unsigned to, unsigned step) {
        made.text += (made.text.empty() ? "" : ",") + text + (step > 1 ? "/" + std::to_string(step) : "");
        for (auto value = from; value <= to; value += step) made.values.insert(value);
    };
    if (random() % 3 == 0) {
        add("*", low, high, random() % 2 ? 1 : number(1, 20));
        return made;
    }
    for (auto items = number(1, 3); items > 0; --items) {
        const auto from = number(low, high), to = number(from, high);
        if (random() % 2) {
            add(std::to_string(from), from, from, 1);
        } else {
            add(std::to_string(from) + "-" + std::to_string(to), from, to, number(1, 7));
        }
    }
    return made;
}

struct expression {
    field minute, hour, day, month, weekday;

    explicit expression(std::mt19937_64& random)
        : minute(any_field(0, 59, random)),
          hour(any_field(0, 23, random)),
          day(any_field(1, 31, random)),
          month(any_field(1, 12, random)),
          weekday(any_field(0, 7, random)) {}

    std::string text() const {
        return minute.text + " " + hour.text + "\t" + day.text + " " + month.text + "  " + weekday.text;
    }

    bool matches(local_time<minutes> time) const {
        const auto today = floor<days>(time);
        const auto of_day = static_cast<unsigned>((time - today).count());
        if (!minute.values.contains(of_day % 60) || !hour.values.contains(of_day / 60)) return false;

        const year_month_day date{today};
        const auto of_week = std::chrono::weekday{today}.c_encoding();
        const bool by_day = day.values.contains(unsigned{date.day()});
        const bool by_weekday = weekday.values.contains(of_week) || (of_week == 0 && weekday.values.contains(7));
        const bool either = day.text[0] != '*' && weekday.text[0] != '*';
        return month.values.contains(unsigned{date.month()}) && (either ? by_day || by_weekday : by_day && by_weekday);
    }
};

// The law of the European Union: summer time from the last Sunday of March to that of October, at 01:00 UTC.
minutes berlin(minute_point time) {
    const auto y = year_month_day{floor<days>(time)}.year();
    const auto begin = sys_days{y / March / Sunday[last]} + 1h;
    const auto end = sys_days{y / October / Sunday[last]} + 1h;
    return time >= begin && time < end ? 120min : 60min;
}

minutes greenwich(minute_point) { return 0min; }

template <typename Offset>
bool runs_at(minute_point time, const expression& one, Offset offset) {
    const auto shown = [&](minute_point t) { return local_time<minutes>{(t + offset(t)).time_since_epoch()}; };
    if (shown(time - 60min) == shown(time)) return false;  // for the second time
    for (auto local = shown(time); local > shown(time - 1min); local -= 1min) {
        if (one.matches(local)) return true;  // more than one where the clocks have just been put forward
    }
    return false;
}

template <typename Offset>
void check_against_every_minute(std::string_view zone, Offset offset, std::uint64_t seeds) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const expression one(random);
        CAPTURE(one.text());
        const auto rules = schedule::parse(one.text(), zone);

        // Half of them begin within four days before a change of the clocks.
        const auto turn = sys_days{year{2026} / (random() % 2 ? March : October) / Sunday[last]} + 3h;
        const auto begin = random() % 2 ? at(2024, 1, 1) + minutes{random() % (3 * 365 * 24 * 60)}
                                        : floor<minutes>(turn) - minutes{random() % (4 * 24 * 60)};
        auto found = rules.next(begin);
        for (auto time = begin + 1min; time < begin + days{6}; time += 1min) {
            if (!runs_at(time, one, offset)) continue;
            REQUIRE(found.has_value());
            REQUIRE(floor<minutes>(*found) == time);
            found = rules.next(time);
        }
        if (found) REQUIRE(*found >= begin + days{6});
    }
}

}  // namespace

TEST_CASE("a schedule gives the first minute that is later, and never the same twice") {
    CHECK(next("17 3 * * *", "UTC", at(2026, 11, 5, 3, 16)) == at(2026, 11, 5, 3, 17));
    CHECK(next("17 3 * * *", "UTC", at(2026, 11, 5, 3, 17)) == at(2026, 11, 6, 3, 17));
    CHECK(next("* * * * *", "UTC", at(2026, 12, 31, 23, 59)) == at(2027, 1, 1));
    const auto every_minute = schedule::parse("* * * * *", "UTC");
    CHECK(every_minute.next(at(2026, 1, 1) + 59s + 999ms) == at(2026, 1, 1, 0, 1));
    CHECK(every_minute.next(sys_time<nanoseconds>{-1ns}) == sys_time<nanoseconds>{});
}

TEST_CASE("lists, ranges, steps and names mean what crontab(5) says") {
    CHECK(next("*/20 * * * *", "UTC", at(2026, 1, 1, 0, 20)) == at(2026, 1, 1, 0, 40));
    CHECK(next("5-20/7 * * * *", "UTC", at(2026, 1, 1, 0, 12)) == at(2026, 1, 1, 0, 19));
    CHECK(next("0 9,17 * * *", "UTC", at(2026, 1, 1, 9)) == at(2026, 1, 1, 17));
    CHECK(next("0 0 * feb *", "UTC", at(2026, 1, 1)) == at(2026, 2, 1));
    CHECK(next("0 0 * * Mon-FRI", "UTC", at(2026, 1, 2)) == at(2026, 1, 5));
    CHECK(next("0 0 * * 5-7", "UTC", at(2026, 1, 3)) == at(2026, 1, 4));
    CHECK(next("0 0 * * 7", "UTC", at(2026, 1, 1)) == next("0 0 * * 0", "UTC", at(2026, 1, 1)));
    CHECK(next("5-59/4294967295 * * * *", "UTC", at(2026, 1, 1)) == at(2026, 1, 1, 0, 5));
}

TEST_CASE("nicknames stand for five fields") {
    const auto after = at(2026, 5, 13, 12, 30);
    CHECK(next("@hourly", "UTC", after) == at(2026, 5, 13, 13));
    CHECK(next("@daily", "UTC", after) == at(2026, 5, 14));
    CHECK(next("@midnight", "UTC", after) == at(2026, 5, 14));
    CHECK(next(" @Weekly ", "UTC", after) == at(2026, 5, 17));
    CHECK(next("@monthly", "UTC", after) == at(2026, 6, 1));
    CHECK(next("@yearly", "UTC", after) == at(2027, 1, 1));
    CHECK(next("@annually", "UTC", after) == at(2027, 1, 1));
}

TEST_CASE("when both day fields are restricted either will do, and a field that begins with a star is not") {
    // 2026-05-13 is a Wednesday.
    CHECK(next("0 0 20 * fri", "UTC", at(2026, 5, 13)) == at(2026, 5, 15));
    CHECK(next("0 0 14 * fri", "UTC", at(2026, 5, 13)) == at(2026, 5, 14));
    CHECK(next("0 0 */2 * fri", "UTC", at(2026, 5, 8)) == at(2026, 5, 15));
    CHECK(next("0 0 13 * */5", "UTC", at(2026, 5, 13)) == at(2026, 9, 13));
}

TEST_CASE("a rare day is waited for, and one that never comes is none") {
    CHECK(next("0 0 29 2 *", "UTC", at(2096, 3, 1)) == at(2104, 2, 29));
    CHECK(next("0 0 29 2 */7", "UTC", at(2088, 3, 1)) == at(2128, 2, 29));
    CHECK(next("0 0 30 2 *", "UTC", at(2026, 1, 1)) == std::nullopt);
    CHECK(next("0 0 31 4,6,9,11 *", "UTC", at(2026, 1, 1)) == std::nullopt);
    CHECK(schedule::parse("0 0 1 1 *", "UTC").next(system_clock::time_point::max()) == std::nullopt);
    CHECK(schedule::parse("0 0 1 1 *", "UTC").next(system_clock::time_point::min()).has_value());
}

TEST_CASE("a time that the clocks skip is run once, at the first moment after the gap") {
    // In Berlin 2026-03-29 02:00 is followed by 03:00, 01:00 UTC.
    CHECK(next("30 2 * * *", "Europe/Berlin", at(2026, 3, 28, 12)) == at(2026, 3, 29, 1));
    CHECK(next("30 2 * * *", "Europe/Berlin", at(2026, 3, 29, 1)) == at(2026, 3, 30, 0, 30));
    CHECK(next("*/15 2 * * *", "Europe/Berlin", at(2026, 3, 29, 0)) == at(2026, 3, 29, 1));
    CHECK(next("*/15 2 * * *", "Europe/Berlin", at(2026, 3, 29, 1)) == at(2026, 3, 30, 0));
    // Samoa had no 30 December 2011: its clocks went from UTC-10 to UTC+14.
    CHECK(next("17 3 30 12 *", "Pacific/Apia", at(2011, 12, 1)) == at(2011, 12, 30, 10));
}

TEST_CASE("a time that occurs twice is run once, at its first occurrence") {
    // In Berlin 2026-10-25 03:00 is followed by 02:00, 01:00 UTC.
    CHECK(next("30 2 * * *", "Europe/Berlin", at(2026, 10, 24, 12)) == at(2026, 10, 25, 0, 30));
    CHECK(next("30 2 * * *", "Europe/Berlin", at(2026, 10, 25, 0, 30)) == at(2026, 10, 26, 1, 30));
    CHECK(next("30 2 * * *", "Europe/Berlin", at(2026, 10, 25, 1, 15)) == at(2026, 10, 26, 1, 30));
}

TEST_CASE("zones with other than whole hours are shown correctly") {
    CHECK(next("0 6 * * *", "Asia/Kolkata", at(2026, 1, 1)) == at(2026, 1, 1, 0, 30));
    CHECK(next("15 2 * * *", "Australia/Lord_Howe", at(2026, 10, 3)) == at(2026, 10, 3, 15, 30));
}

TEST_CASE("any expression agrees with asking every minute, in UTC") {
    check_against_every_minute("UTC", greenwich, 100);
}

TEST_CASE("any expression agrees with asking every minute, where clocks change") {
    check_against_every_minute("Europe/Berlin", berlin, 100);
}

TEST_CASE("an expression that can't be read is refused by field and text") {
    CHECK(why_not("60 * * * *") == "minute \"60\": is not in 0-59");
    CHECK(why_not("* 24 * * *") == "hour \"24\": is not in 0-23");
    CHECK(why_not("* * 0 * *") == "day of month \"0\": is not in 1-31");
    CHECK(why_not("* * * Foo *") == "month \"Foo\": is neither a number nor a name");
    CHECK(why_not("* * * * 8") == "day of week \"8\": is not in 0-7");
    CHECK(why_not("5/15 * * * *") == "minute \"5/15\": a step needs a range or * before it");
    CHECK(why_not("*/0 * * * *") == "minute \"*/0\": a step is a number from 1 on");
    CHECK(why_not("* * * * fri-mon") == "day of week \"fri-mon\": the range ends before it begins");
    CHECK(why_not("1,,2 * * * *") == "minute \"\": is not a number");
    CHECK(why_not("0 0 * *").find("has 4 fields, not five") != std::string::npos);
    CHECK(why_not("0 0 0 * * *").find("has 6 fields, not five") != std::string::npos);
    CHECK(why_not("").find("has 0 fields, not five") != std::string::npos);
    CHECK(why_not("@reboot") == "\"@reboot\" is not known");
    for (const auto* wrong : {"-1 * * * *", "+1 * * * *", "1- * * * *", "-5 * * * *", "*-5 * * * *", "1-2-3 * * * *",
                              "*/ * * * *", "*/x * * * *", "*/2/3 * * * *", "99999999999 * * * *", "? * * * *",
                              "jan * * * *", "** * * * *", ", * * * *"}) {
        CAPTURE(wrong);
        CHECK(why_not(wrong).starts_with("minute \""));
    }
}

TEST_CASE("a time zone that does not exist is refused by name") {
    CHECK(why_not("* * * * *", "Mars/Olympus").starts_with("time zone \"Mars/Olympus\": "));
    CHECK(why_not("* * * * *", "").starts_with("time zone \"\": "));
    CHECK(why_not("* * * * *", "../../../etc/passwd") != "");
    CHECK(why_not("* * * * *", "Europe/Berlin") == "");
}
