#include "conf/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace conf {
namespace {

/// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

void from_text(std::string_view text, std::string& value) {
    if (text.find('\0') != std::string_view::npos) throw wrong_value{"text without a null character"};
    value = text;
}

void from_text(std::string_view text, bool& value) {
    if (text != "true" && text != "false") throw wrong_value{"true or false"};
    value = text == "true";
}

void from_text(std::string_view text, std::uint32_t& value) {
    const auto n = number<std::uint32_t>(text);
    if (!n) throw wrong_value{"a whole number from 0 to 4294967295"};
    value = *n;
}

void from_text(std::string_view text, double& value) {
    const auto n = number<double>(text);
    if (!n || !std::isfinite(*n)) throw wrong_value{"a number"};
    value = *n;
}

void from_text(std::string_view text, milliseconds& value) { value = parse_duration(text); }

void from_text(std::string_view text, std::optional<milliseconds>& value) {
    try {
        value = text == "never" ? std::nullopt : std::optional{parse_duration(text)};
    } catch (const wrong_value& wrong) {
        throw wrong_value{wrong.what() + std::string{", or never"}};
    }
}

void from_text(std::string_view text, byte_size& value) { value = parse_size(text); }

std::string to_text(const std::string& value) { return value; }
std::string to_text(bool value) { return value ? "true" : "false"; }
std::string to_text(std::uint32_t value) { return std::to_string(value); }
std::string to_text(double value) { return fmt::format("{}", value); }
std::string to_text(milliseconds value) { return print_duration(value); }
std::string to_text(const std::optional<milliseconds>& value) { return value ? print_duration(*value) : "never"; }
std::string to_text(byte_size value) { return print_size(value); }

std::string printable(std::string_view text) {
    constexpr std::size_t longest = 100;
    std::string shown;
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        shown += byte < ' ' || byte == 0x7f ? '?' : c;
    }
    return shown + (text.size() > longest ? "..." : "");
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", printable(text)); }

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Foreign keys can be as long as a file; none that long is a slip of the fingers.
    if (std::max(a.size(), b.size()) > 100) return std::max(a.size(), b.size());

    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            const std::size_t replaced = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a.size()][b.size()];
}

}  // namespace conf
