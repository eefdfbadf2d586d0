#pragma once
// test/support/exposition.hpp - reads Prometheus' text format 0.0.4, strictly.

#include <map>
#include <string>
#include <vector>

namespace support {

struct family {
    std::string type;  // counter, gauge, histogram
    std::string help;
    std::map<std::string, double> samples;  // by name and labels as they are written: a_total{b="c"}
};

/// By name. Throws std::runtime_error at the first line that is not as the format has it: a sample without its family's
/// HELP and TYPE before it, a series twice, a number that is none.
/// https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md
std::map<std::string, family> read_exposition(const std::string& text);

/// What `promtool check metrics` objects to, and that labels have names and values as here.
std::vector<std::string> lint(const std::map<std::string, family>& all);

/// The value of one series; throws std::runtime_error when it is not there.
double value_of(const std::map<std::string, family>& all, const std::string& series);

}  // namespace support
