#include "sidecar/api/values.hpp"

#include <charconv>
#include <limits>

#include "outbox/utf8.hpp"
#include "sidecar/status_name.hpp"

namespace sidecar::api {
namespace {

std::optional<std::int64_t> parsed(std::string_view text) {
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

// Of a JSON document only what is a whole number and can be held.
std::optional<std::int64_t> whole(const json& value) {
    if (value.is_number_unsigned() &&
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return std::nullopt;
    return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

int status_of(const std::string& text) {
    for (const int known : {0, 1, 2, 3}) {
        if (text == status_name(known)) return known;
    }
    const auto number = parsed(text);
    const bool fits =
        number && *number >= std::numeric_limits<int>::min() && *number <= std::numeric_limits<int>::max();
    if (!fits) throw problem(400, "status: expected delivering, delivered, failed, consumed or a number");
    return static_cast<int>(*number);
}

}  // namespace

values values::of_query(const request& asked) {
    json all = json::object();
    for (const auto& [name, value] : asked.query) {
        if (all.contains(name)) throw problem(400, name + ": given twice");
        all[name] = value;
    }
    return {std::move(all), true, {}};
}

values values::of_body(const request& asked) {
    if (!asked.body) return {json::object(), false, {}};
    if (!asked.body->is_object()) throw problem(400, "the body: expected a JSON object");
    return {*asked.body, false, {}};
}

std::optional<std::string> values::text(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) refuse(name, "expected a text");
    return value->get<std::string>();
}

std::optional<std::int64_t> values::number(std::string_view name, std::int64_t least, std::int64_t most) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto number = written_ ? parsed(value->get_ref<const std::string&>()) : whole(*value);
    if (!number || *number < least || *number > most)
        refuse(name, "expected a number from " + std::to_string(least) + " to " + std::to_string(most));
    return number;
}

std::optional<outbox::epoch_ms> values::time(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto number = written_ ? parsed(value->get_ref<const std::string&>()) : whole(*value);
    if (!number) refuse(name, "expected milliseconds since 1970");
    return number;
}

bool values::flag(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return false;
    if (!written_ && value->is_boolean()) return value->get<bool>();
    if (written_ && (*value == "true" || *value == "false")) return *value == "true";
    refuse(name, "expected true or false");
}

std::optional<std::string> values::choice(std::string_view name, std::initializer_list<std::string_view> of) {
    auto given = text(name);
    if (!given) return std::nullopt;
    std::string expected;
    for (const auto one : of) {
        if (one == *given) return given;
        expected += (expected.empty() ? "expected " : " or ") + std::string(one);
    }
    refuse(name, expected);
}

std::vector<std::string> values::texts(std::string_view name, std::size_t most) {
    const auto* list = find(name);
    const auto expected = "expected a list of 1 to " + std::to_string(most) + " texts";
    if (list == nullptr || !list->is_array() || list->empty() || list->size() > most) refuse(name, expected);
    std::vector<std::string> result;
    std::set<std::string> seen;
    for (const auto& one : *list) {
        if (!one.is_string()) refuse(name, expected);
        if (seen.insert(one.get<std::string>()).second) result.push_back(one.get<std::string>());
    }
    return result;
}

std::vector<std::int64_t> values::numbers(std::string_view name, std::size_t most) {
    const auto* list = find(name);
    const auto expected = "expected a list of 1 to " + std::to_string(most) + " numbers";
    if (list == nullptr || !list->is_array() || list->empty() || list->size() > most) refuse(name, expected);
    std::vector<std::int64_t> result;
    std::set<std::int64_t> seen;
    for (const auto& one : *list) {
        const auto number = whole(one);
        if (!number || *number < 1) refuse(name, expected);
        if (seen.insert(*number).second) result.push_back(*number);
    }
    return result;
}

values values::object(std::string_view name) {
    const auto* value = find(name);
    if (value != nullptr && !value->is_object()) refuse(name, "expected an object");
    return {value == nullptr ? json::object() : *value, false, named(name) + "."};
}

std::optional<json> values::any(std::string_view name) {
    const auto* value = find(name);
    return value == nullptr ? std::nullopt : std::optional(*value);
}

void values::done() const {
    for (const auto& [name, value] : all_.items()) {
        if (asked_.count(name) == 0) refuse(name, "nobody knows this name here");
    }
}

const json* values::find(std::string_view name) {
    asked_.emplace(name);
    const auto found = all_.find(std::string(name));
    return found == all_.end() || found->is_null() ? nullptr : &*found;
}

std::string values::named(std::string_view name) const { return within_ + std::string(name); }

void values::refuse(std::string_view name, const std::string& why) const {
    throw problem(400, named(name) + ": " + why);
}

outbox::message_filter read_filter(values& in) {
    outbox::message_filter filter;
    // In a body it may be a number, too.
    if (const auto status = in.any("status"))
        filter.status = status_of(status->is_string() ? status->get<std::string>() : status->dump());
    filter.exchange = in.text("exchange");
    filter.routing_key = in.text("routing_key");
    filter.id_prefix = in.text("id_prefix").value_or("");
    filter.error = in.text("error").value_or("");
    filter.since = in.time("since");
    filter.before = in.time("before");
    return filter;
}

}  // namespace sidecar::api
