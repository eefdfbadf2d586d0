#pragma once
// relay/cron.hpp - times of the day, week and year in five fields, as cron(5) has them.

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace relay {

/// When something is to run. Constant after construction; any thread.
///
///   minute 0-59   hour 0-23   day of month 1-31   month 1-12 or jan-dec   day of week 0-7 or sun-sat; 0 and 7 are
///   Sunday
///
/// A field is a list, by commas, of `*`, a value or a range a-b; `*` and ranges may take a step: `*/5`, `8-18/2`. Names
/// are in any case. Instead of five fields: @hourly, @daily or @midnight, @weekly, @monthly, @yearly or @annually.
/// When both day fields are restricted, a day that matches either will do; restricted is a field that does not begin
/// with `*` (the rule of Vixie's cron).
class schedule {
  public:
    /// `time_zone` is a name of the IANA time zone database: "Europe/Berlin". "UTC" works without that database.
    /// Throws std::invalid_argument for an expression it can't read, naming the field and the text, and for a time zone
    /// that is not known here.
    static schedule parse(std::string_view expression, std::string_view time_zone);

    /// The first time to run that is later than `after`; a whole minute of the zone's clocks. A time that the clocks
    /// skip is run at the first moment after the gap, and only once however many times fell into it; a time that occurs
    /// twice is run at its first occurrence only.
    /// Nullopt when there is none within 50 years: 30 February never comes, 29 February on a Sunday takes up to 40.
    std::optional<std::chrono::system_clock::time_point> next(std::chrono::system_clock::time_point after) const;

  private:
    schedule() = default;
    bool runs_on(unsigned month, unsigned day, unsigned weekday) const;

    std::bitset<60> minutes_, hours_, days_, months_, weekdays_;  // by their numbers; Sunday is 0
    bool either_day_ = false;                                     // both day fields are restricted
    std::string time_zone_;
};

}  // namespace relay
