#include "relay/properties.hpp"

#include <charconv>

#include "relay/json_object.hpp"

namespace relay {

namespace {

using nlohmann::json;

constexpr std::size_t max_short_string = 255;
constexpr std::uint64_t max_expiration = 4'294'967'295;

using fault = std::optional<impossible>;

fault wrong(const std::string& name, const std::string& how) { return impossible{"property " + name + " is " + how}; }

fault out_of_range(const std::string& name, const json& value, const std::string& allowed) {
    const auto found = value.is_string()       ? excerpt(value.get_ref<const std::string&>())
                       : value.is_structured() ? std::string("an ") + value.type_name()
                                               : value.dump();
    return wrong(name, found + ", it has to be " + allowed);
}

template <typename String>
fault read_text(const std::string& name, const json& value, String& to) {
    if (!value.is_string()) return wrong(name, std::string("a JSON ") + value.type_name() + ", not a string");
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > max_short_string) {
        return wrong(name, std::to_string(text.size()) + " bytes, AMQP allows " + std::to_string(max_short_string));
    }
    to = text;
    return std::nullopt;
}

std::optional<std::uint64_t> whole_number(const json& value) {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    return std::nullopt;
}

std::optional<std::uint64_t> whole_number_or_digits(const json& value) {
    if (!value.is_string()) return whole_number(value);
    const auto& text = value.get_ref<const std::string&>();
    const auto* end = text.data() + text.size();
    std::uint64_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return number;
}

fault read_expiration(const std::string& name, const json& value, outgoing& to) {
    const auto number = whole_number_or_digits(value);
    if (!number || *number > max_expiration) {
        return out_of_range(name, value, "whole milliseconds from 0 to " + std::to_string(max_expiration));
    }
    to.expiration = std::to_string(*number);
    return std::nullopt;
}

fault read_priority(const std::string& name, const json& value, outgoing& to) {
    const auto number = whole_number(value);
    if (!number || *number > 255) return out_of_range(name, value, "a whole number from 0 to 255");
    to.priority = static_cast<std::uint8_t>(*number);
    return std::nullopt;
}

fault read_delivery_mode(const std::string& name, const json& value, outgoing& to) {
    const auto number = whole_number(value);
    if (number != 1 && number != 2) return out_of_range(name, value, "1 or 2");
    to.delivery_mode = static_cast<std::uint8_t>(*number);
    return std::nullopt;
}

fault read_one(const std::string& name, const json& value, outgoing& to) {
    if (name == "content_type") return read_text(name, value, to.content_type);
    if (name == "content_encoding") return read_text(name, value, to.content_encoding);
    if (name == "correlation_id") return read_text(name, value, to.correlation_id);
    if (name == "reply_to") return read_text(name, value, to.reply_to);
    if (name == "type") return read_text(name, value, to.type);
    if (name == "app_id") return read_text(name, value, to.app_id);
    if (name == "expiration") return read_expiration(name, value, to);
    if (name == "priority") return read_priority(name, value, to);
    if (name == "delivery_mode") return read_delivery_mode(name, value, to);
    return wrong(excerpt(name), "not known");
}

}  // namespace

std::optional<impossible> read_properties(std::string_view text, outgoing& message) {
    const auto parsed = parse_object("properties", text);
    if (const auto* why = std::get_if<impossible>(&parsed)) return *why;

    for (const auto& [name, value] : std::get<json>(parsed).items()) {
        if (value.is_null()) continue;
        if (auto why = read_one(name, value, message)) return why;
    }
    return std::nullopt;
}

}  // namespace relay
