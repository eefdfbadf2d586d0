#pragma once
// test/bench/figure.hpp - one row of the result: what was measured, beside its ceiling and what it must reach.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct figure {
    std::string name;
    std::string unit;
    double value = 0;               // median over the rounds
    std::optional<double> ceiling;  // likewise, of what it is compared with, from the same rounds
    std::optional<double> ratio;    // median of value / ceiling, round by round; judged if there, else the value is
    double spread = 0;              // largest minus smallest of what is judged, over its median
    std::optional<double> must;     // absent: it is only shown
    std::optional<double> aim;
    bool ok = true;
};

/// Which side of `must` is good.
enum class better { more, less };

struct limits {
    better side = better::less;
    std::optional<double> must;
    std::optional<double> aim;
};

double median(std::vector<double> values);
/// The smallest value that a share `part` of them does not exceed.
double quantile(std::vector<double> values, double part);

/// Judged by value / ceiling. Values and ceilings come in pairs, one of each a round.
figure compared(const std::string& name, const std::string& unit, const std::vector<double>& values,
                const std::vector<double>& ceilings, const limits& to);
/// Judged by value - ceiling, which becomes the value.
figure above(const std::string& name, const std::string& unit, const std::vector<double>& values,
             const std::vector<double>& ceilings, const limits& to);
/// Judged by itself.
figure alone(const std::string& name, const std::string& unit, const std::vector<double>& values, const limits& to);

std::string table_head();
std::string table_row(const figure& one);
nlohmann::json to_json(const std::vector<figure>& figures);

/// Row by row, B over A, as a table. Throws std::runtime_error for files that are not what --json writes.
std::string comparison(const std::string& file_a, const std::string& file_b);

}  // namespace bench
