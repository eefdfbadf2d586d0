#include "relay/envelope.hpp"

#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>

#include "relay/utf8.hpp"

namespace relay {

namespace {

nlohmann::ordered_json time_or_null(const std::optional<outbox::epoch_ms>& time) {
    return time ? nlohmann::ordered_json(*time) : nlohmann::ordered_json(nullptr);
}

// RFC 3339, which has four digits for a year.
std::optional<std::string> rfc3339(outbox::epoch_ms time) {
    using namespace std::chrono;
    constexpr outbox::epoch_ms year_10000 = 253'402'300'800'000;
    if (time < 0 || time >= year_10000) return std::nullopt;

    const sys_time<milliseconds> instant{milliseconds{time}};
    const auto day = floor<days>(instant);
    const year_month_day date{day};
    const hh_mm_ss clock{instant - day};
    char text[96];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int{date.year()}, unsigned{date.month()},
                  unsigned{date.day()}, static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                  static_cast<int>(clock.subseconds().count()));
    return text;
}

std::string event_type(const outbox::message& row, const conf::message& settings) {
    if (!settings.cloudevents_type.empty()) return settings.cloudevents_type;
    if (!row.routing_key.empty()) return row.routing_key;
    if (!row.exchange.empty()) return row.exchange;
    return "message";
}

std::string prefix_for(const nlohmann::json& headers) {
    const std::string with_colon = "cloudEvents:";
    const auto& members = headers.get_ref<const nlohmann::json::object_t&>();
    const auto first = members.lower_bound(with_colon);
    return first != members.end() && first->first.starts_with(with_colon) ? with_colon : "cloudEvents_";
}

}  // namespace

std::variant<std::string, impossible> row_envelope(const outbox::message& row) {
    if (!is_utf8(row.body)) {
        return impossible{"msg is not UTF-8 text, which the envelope `row` needs; use the envelope `none` for it"};
    }
    if (!is_utf8(row.id) || !is_utf8(row.exchange) || !is_utf8(row.routing_key)) {
        return impossible{"id, exchange or routing_key is not UTF-8 text, which the envelope `row` needs"};
    }
    const nlohmann::ordered_json members = {
        {"id", row.id},
        {"msg", row.body},
        {"exchange", row.exchange},
        {"routingKey", row.routing_key},
        {"status", static_cast<int>(outbox::status::delivering)},
        {"tryCount", row.try_count},
        {"nextTryTime", time_or_null(row.next_try_time)},
        {"createTime", time_or_null(row.create_time)},
        {"updateTime", time_or_null(row.update_time)},
    };
    return members.dump();
}

void add_cloud_event(const outbox::message& row, const conf::message& settings, nlohmann::json& headers) {
    const auto prefix = prefix_for(headers);
    const auto add = [&](const char* attribute, const std::string& value) {
        headers.emplace(prefix + attribute, value);
    };

    add("specversion", "1.0");
    add("id", row.id);
    add("source", settings.cloudevents_source);
    add("type", event_type(row, settings));
    if (const auto time = row.create_time ? rfc3339(*row.create_time) : std::nullopt) add("time", *time);
}

}  // namespace relay
