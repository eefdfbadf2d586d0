#include "test/support/exposition.hpp"

#include <cmath>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace support {
namespace {

[[noreturn]] void refuse(const std::string& line) { throw std::runtime_error("not as the format has it: " + line); }

// a_seconds of a_seconds_bucket, if that is a histogram.
std::string family_of(const std::string& sample, const std::map<std::string, family>& all) {
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
        if (!sample.ends_with(suffix)) continue;
        const auto name = sample.substr(0, sample.size() - suffix.size());
        if (const auto found = all.find(name); found != all.end() && found->second.type == "histogram") return name;
    }
    return sample;
}

void check_histogram(const std::string& name, const family& one) {
    std::map<std::string, std::map<double, double>> by_labels;  // those besides le
    static const std::regex bucket("_bucket\\{(.*[^,])?,?le=\"([^\"]+)\"\\}$");
    for (const auto& [series, value] : one.samples) {
        std::smatch found;
        if (std::regex_search(series, found, bucket)) by_labels[found[1]][std::stod(found[2])] = value;
    }
    if (by_labels.empty()) throw std::runtime_error(name + ": it has no buckets");
    for (const auto& [labels, buckets] : by_labels) {
        double last = 0;
        for (const auto& [bound, value] : buckets) {
            if (value < last) throw std::runtime_error(name + ": its buckets do not add up");
            last = value;
        }
        const auto count = name + "_count" + (labels.empty() ? "" : "{" + labels + "}");
        if (!std::isinf(buckets.rbegin()->first) || last != one.samples.at(count))
            throw std::runtime_error(name + ": its last bucket is not its count");
    }
}

}  // namespace

std::map<std::string, family> read_exposition(const std::string& text) {
    static const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    static const std::regex type("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)");
    static const std::regex sample(
        "(([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{[a-z_]+=\"[^\"\\\\]*\"(,[a-z_]+=\"[^\"\\\\]*\")*\\})?) (\\S+)");
    if (text.empty() || text.back() != '\n') throw std::runtime_error("the last line does not end");
    std::map<std::string, family> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::smatch found;
        if (std::regex_match(line, found, help)) {
            if (!all[found[1]].help.empty()) refuse(line);
            all[found[1]].help = found[2];
        } else if (std::regex_match(line, found, type)) {
            if (!all[found[1]].type.empty()) refuse(line);
            all[found[1]].type = found[2];
        } else if (std::regex_match(line, found, sample)) {
            const auto of = all.find(family_of(found[2], all));
            if (of == all.end() || of->second.type.empty()) refuse(line);
            std::size_t end = 0;
            const auto value = std::stod(found[5], &end);
            if (end != found[5].str().size() || !of->second.samples.emplace(found[1], value).second) refuse(line);
        } else {
            refuse(line);
        }
    }
    for (const auto& [name, one] : all) {
        if (one.type == "histogram") check_histogram(name, one);
    }
    return all;
}

std::vector<std::string> lint(const std::map<std::string, family>& all) {
    std::vector<std::string> found;
    static const std::regex snake("[a-z][a-z0-9]*(_[a-z0-9]+)*");
    static const std::regex other_units(
        "(^|_)(ms|milliseconds?|microseconds?|nanoseconds?|minutes?|hours?|days?|weeks?|kb|mb|kilobytes?|megabytes?|"
        "kibibytes?|bits?|percent|secs?|mins?)(_|$)");
    static const std::regex types("_(counter|gauge|histogram|summary|untyped)(_|$)");
    for (const auto& [name, one] : all) {
        const auto object = [&](bool wrong, const char* what) {
            if (wrong) found.push_back(name + ": " + what);
        };
        object(one.help.empty(), "no help text");
        object(one.type == "counter" && !name.ends_with("_total"), "a counter ends in _total");
        object(one.type != "counter" && name.ends_with("_total"), "only a counter ends in _total");
        object(name.ends_with("_bucket") || name.ends_with("_sum") || name.ends_with("_count"), "a reserved suffix");
        object(!std::regex_match(name, snake), "not in snake case");
        object(std::regex_search(name, other_units), "not a base unit");
        object(std::regex_search(name, types), "names its type");
        object(!name.starts_with("outbox_"), "not by its prefix");
        object(one.samples.empty(), "no series");
    }
    return found;
}

double value_of(const std::map<std::string, family>& all, const std::string& series) {
    for (const auto& [name, one] : all) {
        if (const auto found = one.samples.find(series); found != one.samples.end()) return found->second;
    }
    throw std::runtime_error("there is no series " + series);
}

}  // namespace support
