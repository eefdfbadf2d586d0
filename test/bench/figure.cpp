#include "test/bench/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

figure titled(const std::string& name, const std::string& unit, double value) {
    figure one;
    one.name = name;
    one.unit = unit;
    one.value = value;
    return one;
}

void judge(figure& one, const std::vector<double>& judged, const limits& to) {
    const auto [least, most] = std::minmax_element(judged.begin(), judged.end());
    const double middle = median(judged);
    one.spread = middle == 0 ? *most - *least : (*most - *least) / std::abs(middle);
    one.must = to.must;
    one.aim = to.aim;
    if (to.must) one.ok = to.side == better::more ? middle >= *to.must : middle <= *to.must;
}

std::vector<double> pairwise(const std::vector<double>& a, const std::vector<double>& b, auto&& each) {
    std::vector<double> result;
    for (std::size_t i = 0; i < a.size(); ++i) result.push_back(each(a.at(i), b.at(i)));
    return result;
}

std::string shown(const std::optional<double>& number) {
    if (!number) return "-";
    const double size = std::abs(*number);
    return fmt::format("{:.{}f}", *number, size >= 1000 ? 0 : size >= 10 ? 1 : 2);
}

nlohmann::json or_null(const std::optional<double>& number) {
    return number ? nlohmann::json(*number) : nlohmann::json(nullptr);
}

nlohmann::json figures_in(const std::string& file) {
    std::ifstream in(file);
    auto read = nlohmann::json::parse(in, nullptr, false);
    if (!read.is_array()) throw std::runtime_error(file + " is not what --json writes");
    return read;
}

}  // namespace

double quantile(std::vector<double> values, double part) {
    if (values.empty()) throw std::runtime_error("nothing was measured");
    const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size())));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

figure compared(const std::string& name, const std::string& unit, const std::vector<double>& values,
                const std::vector<double>& ceilings, const limits& to) {
    const auto ratios = pairwise(values, ceilings, [](double value, double ceiling) { return value / ceiling; });
    auto one = titled(name, unit, median(values));
    one.ceiling = median(ceilings);
    one.ratio = median(ratios);
    judge(one, ratios, to);
    return one;
}

figure above(const std::string& name, const std::string& unit, const std::vector<double>& values,
             const std::vector<double>& ceilings, const limits& to) {
    const auto rests = pairwise(values, ceilings, [](double value, double ceiling) { return value - ceiling; });
    auto one = titled(name, unit, median(rests));
    one.ceiling = median(ceilings);
    judge(one, rests, to);
    return one;
}

figure alone(const std::string& name, const std::string& unit, const std::vector<double>& values, const limits& to) {
    auto one = titled(name, unit, median(values));
    judge(one, values, to);
    return one;
}

std::string table_head() {
    return fmt::format("{:<20} {:>9} {:<8} {:>9} {:>6} {:>7} {:>6} {:>6}  {}", "name", "value", "", "ceiling", "ratio",
                       "spread", "must", "aim", "ok");
}

std::string table_row(const figure& one) {
    return fmt::format("{:<20} {:>9} {:<8} {:>9} {:>6} {:>6.0f}% {:>6} {:>6}  {}", one.name, shown(one.value), one.unit,
                       shown(one.ceiling), shown(one.ratio), 100 * one.spread, shown(one.must), shown(one.aim),
                       !one.must ? "-"
                       : one.ok  ? "ok"
                                 : "NO");
}

nlohmann::json to_json(const std::vector<figure>& figures) {
    auto list = nlohmann::json::array();
    for (const auto& one : figures) {
        list.push_back({{"name", one.name},
                        {"unit", one.unit},
                        {"value", one.value},
                        {"ceiling", or_null(one.ceiling)},
                        {"ratio", or_null(one.ratio)},
                        {"spread", one.spread},
                        {"must", or_null(one.must)},
                        {"aim", or_null(one.aim)},
                        {"ok", one.ok}});
    }
    return list;
}

std::string comparison(const std::string& file_a, const std::string& file_b) {
    const auto a = figures_in(file_a), b = figures_in(file_b);
    auto text = fmt::format("{:<20} {:>10} {:>10} {:<8} {:>6}   {:>8} {:>8}\n", "name", "A", "B", "", "B/A", "ratio A",
                            "ratio B");
    for (const auto& after : b) {
        const auto before =
            std::find_if(a.begin(), a.end(), [&](const auto& one) { return one["name"] == after["name"]; });
        if (before == a.end()) continue;
        const auto number = [](const nlohmann::json& one, const char* member) -> std::optional<double> {
            if (!one.at(member).is_number()) return std::nullopt;
            return one.at(member).get<double>();
        };
        const double old = before->at("value").get<double>(), now = after.at("value").get<double>();
        text +=
            fmt::format("{:<20} {:>10} {:>10} {:<8} {:>6}   {:>8} {:>8}\n", after.at("name").get<std::string>(),
                        shown(old), shown(now), after.at("unit").get<std::string>(), old == 0 ? "-" : shown(now / old),
                        shown(number(*before, "ratio")), shown(number(after, "ratio")));
    }
    return text;
}

}  // namespace bench
