#include "relay/cron.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace relay {

namespace {

using std::string_view;
using values = std::bitset<60>;

constexpr std::array<string_view, 12> month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<string_view, 7> day_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct field {
    string_view name;
    unsigned low;
    unsigned high;
    std::span<const string_view> names = {};  // of low, low + 1 …
};

constexpr std::array<field, 5> fields = {{{"minute", 0, 59},
                                          {"hour", 0, 23},
                                          {"day of month", 1, 31},
                                          {"month", 1, 12, month_names},
                                          {"day of week", 0, 7, day_names}}};

constexpr std::array<std::pair<string_view, string_view>, 7> nicknames = {{{"@hourly", "0 * * * *"},
                                                                           {"@daily", "0 0 * * *"},
                                                                           {"@midnight", "0 0 * * *"},
                                                                           {"@weekly", "0 0 * * 0"},
                                                                           {"@monthly", "0 0 1 * *"},
                                                                           {"@yearly", "0 0 1 1 *"},
                                                                           {"@annually", "0 0 1 1 *"}}};

[[noreturn]] void refuse(const field& in, string_view text, const std::string& why) {
    throw std::invalid_argument(std::string(in.name) + " \"" + std::string(text) + "\": " + why);
}

std::optional<unsigned> number(string_view text) {
    unsigned value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
    return value;
}

bool same_name(string_view a, string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

unsigned value_of(const field& in, string_view text) {
    for (unsigned at = 0; at < in.names.size(); ++at) {
        if (same_name(text, in.names[at])) return in.low + at;
    }
    const auto value = number(text);
    if (!value) refuse(in, text, in.names.empty() ? "is not a number" : "is neither a number nor a name");
    if (*value < in.low || *value > in.high) {
        refuse(in, text, "is not in " + std::to_string(in.low) + "-" + std::to_string(in.high));
    }
    return *value;
}

/// The text before and, if there is one, after the first separator.
std::pair<string_view, std::optional<string_view>> cut(string_view text, char separator) {
    const auto at = text.find(separator);
    if (at == text.npos) return {text, std::nullopt};
    return {text.substr(0, at), text.substr(at + 1)};
}

void read_item(const field& in, string_view item, values& found) {
    const auto [range, step_text] = cut(item, '/');
    const auto [first, last] = cut(range, '-');
    const bool all = range == "*";
    if (step_text && !all && !last) refuse(in, item, "a step needs a range or * before it");

    const unsigned from = all ? in.low : value_of(in, first);
    const unsigned to = all ? in.high : last ? value_of(in, *last) : from;
    if (from > to) refuse(in, item, "the range ends before it begins");
    const auto step = step_text ? number(*step_text) : 1u;
    if (!step || *step == 0) refuse(in, item, "a step is a number from 1 on");

    for (unsigned value = from; value <= to; value += std::min(*step, 60u)) found.set(value);
}

values read(const field& in, string_view text) {
    values found;
    for (std::optional<string_view> rest = text; rest;) {
        const auto [item, others] = cut(*rest, ',');
        read_item(in, item, found);
        rest = others;
    }
    return found;
}

std::vector<string_view> words_of(string_view text) {
    constexpr string_view blank = " \t";
    std::vector<string_view> words;
    for (auto at = text.find_first_not_of(blank); at != text.npos; at = text.find_first_not_of(blank, at)) {
        const auto end = std::min(text.find_first_of(blank, at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

std::vector<string_view> five_fields(string_view expression) {
    auto words = words_of(expression);
    if (words.size() == 1 && words[0].starts_with('@')) {
        for (const auto& [nickname, meaning] : nicknames) {
            if (same_name(words[0], nickname)) return words_of(meaning);
        }
        throw std::invalid_argument("\"" + std::string(words[0]) + "\" is not known");
    }
    if (words.size() != fields.size()) {
        throw std::invalid_argument("\"" + std::string(expression) + "\" has " + std::to_string(words.size()) +
                                    " fields, not five: minute, hour, day of month, month, day of week");
    }
    return words;
}

/// What the clocks of a zone show. UTC needs no database: images without one are common, and it is the default.
class wall_clock {
  public:
    explicit wall_clock(const std::string& time_zone) {
        if (time_zone != "UTC") zone_ = date::locate_zone(time_zone);
    }

    date::local_seconds at(date::sys_seconds time) const {
        return zone_ ? zone_->to_local(time) : date::local_seconds{time.time_since_epoch()};
    }

    /// When they first show that time; when they skip it, the moment after the gap.
    date::sys_seconds when(date::local_seconds local) const {
        if (!zone_) return date::sys_seconds{local.time_since_epoch()};
        const auto found = zone_->get_info(local);
        if (found.result == date::local_info::nonexistent) return found.first.end;
        return date::sys_seconds{local.time_since_epoch() - found.first.offset};
    }

  private:
    const date::time_zone* zone_ = nullptr;
};

}  // namespace

schedule schedule::parse(string_view expression, string_view time_zone) {
    const auto words = five_fields(expression);
    schedule made;
    made.minutes_ = read(fields[0], words[0]);
    made.hours_ = read(fields[1], words[1]);
    made.days_ = read(fields[2], words[2]);
    made.months_ = read(fields[3], words[3]);
    made.weekdays_ = read(fields[4], words[4]);
    if (made.weekdays_[7]) made.weekdays_.set(0);
    made.either_day_ = !words[2].starts_with('*') && !words[4].starts_with('*');

    made.time_zone_ = time_zone;
    try {
        wall_clock{made.time_zone_};
    } catch (const std::runtime_error& e) {
        throw std::invalid_argument("time zone \"" + made.time_zone_ + "\": " + e.what());
    }
    return made;
}

bool schedule::runs_on(unsigned month, unsigned day, unsigned weekday) const {
    if (!months_[month]) return false;
    return either_day_ ? days_[day] || weekdays_[weekday] : days_[day] && weekdays_[weekday];
}

std::optional<std::chrono::system_clock::time_point> schedule::next(std::chrono::system_clock::time_point after) const {
    using std::chrono::seconds;
    using std::chrono::system_clock;
    const wall_clock clock(time_zone_);
    const auto since = date::floor<seconds>(after);
    const auto end_of_time = date::floor<seconds>(system_clock::time_point::max());

    // As local time goes on, `when` never goes back: the first local time that is late enough is the one.
    auto day = date::floor<date::days>(clock.at(since));
    for (const auto last = day + date::days{50 * 366}; day <= last; ++day) {
        const date::year_month_day date{day};
        if (!runs_on(unsigned{date.month()}, unsigned{date.day()}, date::weekday{day}.c_encoding())) continue;
        for (int minute = 0; minute < 24 * 60; ++minute) {
            if (!hours_[minute / 60] || !minutes_[minute % 60]) continue;
            const auto time = clock.when(day + std::chrono::minutes{minute});
            if (time > end_of_time) return std::nullopt;
            if (time > since) return system_clock::time_point{time};
        }
    }
    return std::nullopt;
}

}  // namespace relay
