#include "relay/json_object.hpp"

#include <algorithm>
#include <limits>

#include "relay/utf8.hpp"

namespace relay {

namespace {

using nlohmann::json;

constexpr std::size_t max_short_string = 255;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

// Looks only at brackets outside of strings: on text that is not JSON the answer does not matter.
bool too_deep(std::string_view text) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (in_string) {
            if (c == '\\') ++at;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > max_json_depth) return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return false;
}

std::size_t longest_name(const json& value) {
    std::size_t longest = 0;
    for (const auto& [name, member] : value.items()) {
        if (value.is_object()) longest = std::max(longest, name.size());
        if (member.is_structured()) longest = std::max(longest, longest_name(member));
    }
    return longest;
}

// As the value of an AMQP field, type octet included. Integers are counted as the longest that there are.
std::size_t field_size(const json& value) {
    constexpr std::size_t type = 1, length = 4;
    switch (value.type()) {
        case json::value_t::null: return type;
        case json::value_t::boolean: return type + 1;
        case json::value_t::string: return type + length + value.get_ref<const std::string&>().size();
        case json::value_t::object:
        case json::value_t::array: {
            std::size_t size = type + length;
            for (const auto& member : value.items()) {
                size += field_size(member.value()) + (value.is_object() ? 1 + member.key().size() : 0);
            }
            return size;
        }
        case json::value_t::number_unsigned:
            // No 64-bit integer of AMQP holds it, so it may have to go as decimal digits.
            if (value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) return type + length + 20;
            return type + 8;
        default: return type + 8;
    }
}

}  // namespace

std::variant<json, impossible> parse_object(std::string_view what, std::string_view text) {
    const auto no = [&](const std::string& why) { return impossible{std::string(what) + " are " + why}; };

    if (text.size() > max_json_text) {
        return no(std::to_string(text.size()) + " bytes of JSON, at most " + std::to_string(max_json_text) +
                  " are read");
    }
    if (is_blank(text)) return json::object();
    if (too_deep(text)) return no("nested deeper than " + std::to_string(max_json_depth) + " levels");

    auto value = json::parse(text, nullptr, false);
    if (value.is_discarded()) return no(is_utf8(text) ? "not JSON" : "not UTF-8 text");
    if (value.is_null()) return json::object();
    if (!value.is_object()) return no(std::string("a JSON ") + value.type_name() + ", not an object");
    return value;
}

std::optional<impossible> unfit_headers(const json& headers) {
    if (const auto longest = longest_name(headers); longest > max_short_string) {
        return impossible{"headers have a name of " + std::to_string(longest) + " bytes, AMQP allows " +
                          std::to_string(max_short_string)};
    }
    if (const auto size = field_size(headers); size > max_headers_size) {
        return impossible{"headers take " + std::to_string(size) + " bytes in AMQP, at most " +
                          std::to_string(max_headers_size) + " fit one frame"};
    }
    return std::nullopt;
}

std::string excerpt(std::string_view text) {
    constexpr std::size_t shown = 64;
    std::size_t end = 0;
    while (end < text.size()) {
        const auto next = end + std::max<std::size_t>(1, first_character(text.substr(end)));
        if (next > shown) break;
        end = next;
    }
    return '"' + std::string(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

}  // namespace relay
