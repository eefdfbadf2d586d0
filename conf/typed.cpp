#include "conf/typed.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "conf/values.hpp"

namespace conf {
namespace {

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_sign(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return text;
}

bool is_integer(std::string_view text) {
    const auto digits = without_sign(text);
    return all_digits(digits) && (digits.size() == 1 || digits.front() != '0');
}

/// Digits, a point with more digits behind it, an exponent; at least one of the last two.
bool is_decimal(std::string_view text) {
    text = without_sign(text);
    const auto e = text.find_first_of("eE");
    const auto mantissa = text.substr(0, e);
    const auto point = mantissa.find('.');
    if (e == std::string_view::npos && point == std::string_view::npos) return false;
    if (e != std::string_view::npos && !all_digits(without_sign(text.substr(e + 1)))) return false;
    return all_digits(mantissa.substr(0, point)) &&
           (point == std::string_view::npos || all_digits(mantissa.substr(point + 1)));
}

template <class Number>
bool parse(std::string_view text, Number& number) {
    if (text.starts_with('+')) text.remove_prefix(1);
    return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
}

}  // namespace

nlohmann::json plain_to_json(const std::string& text) {
    if (text == "true") return true;
    if (text == "false") return false;
    if (is_integer(text)) {
        std::int64_t number = 0;
        if (!parse(text, number)) throw wrong_value{"an integer of at most 64 bits; quote it if it is a text"};
        return number;
    }
    double number = 0;
    if (is_decimal(text) && parse(text, number) && std::isfinite(number)) return number;
    return text;
}

nlohmann::json to_json(const node& value) {
    switch (value.what) {
        case node::kind::null: return nullptr;
        case node::kind::scalar: return value.quoted ? nlohmann::json(value.text) : plain_to_json(value.text);
        case node::kind::list: {
            auto list = nlohmann::json::array();
            for (const auto& child : value.children) list.push_back(to_json(child));
            return list;
        }
        case node::kind::map: break;
    }
    auto map = nlohmann::json::object();
    for (const auto& child : value.children)
        if (!map.emplace(child.key, to_json(child)).second)
            throw wrong_value{"each key once (" + in_quotes(child.key) + " occurs twice)"};
    return map;
}

}  // namespace conf
