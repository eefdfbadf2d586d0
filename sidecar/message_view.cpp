#include "sidecar/message_view.hpp"

#include <fmt/format.h>

#include <variant>

#include "sidecar/body_text.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;

constexpr outbox::epoch_ms last_time = 253'402'300'799'999;  // in the year 9999

bool is_a_time(outbox::epoch_ms time) { return time >= -last_time && time <= last_time; }

// Selections of messages and of entries have their times in common.
template <class Selection>
auto made_absolute(const Selection& which, outbox::inspection& messages) {
    auto filter = which.filter;
    const auto now = which.since || which.before ? messages.clock() : 0;
    if (which.since) filter.since = resolved(*which.since, now);
    if (which.before) filter.before = resolved(*which.before, now);
    return filter;
}

}  // namespace

outbox::message_filter filter_of(const selection& which, outbox::inspection& messages) {
    return made_absolute(which, messages);
}

outbox::ledger_filter filter_of(const ledger_selection& which, outbox::inspection& messages) {
    return made_absolute(which, messages);
}

std::string age_text(const std::optional<outbox::epoch_ms>& time, outbox::epoch_ms now) {
    if (!time) return "-";
    if (!is_a_time(*time)) return std::to_string(*time);
    const std::chrono::milliseconds age(now - *time);
    return age.count() < 0 ? "in " + rough(-age) : rough(age);
}

std::string time_text(const std::optional<outbox::epoch_ms>& time, outbox::epoch_ms now) {
    if (!time || !is_a_time(*time)) return age_text(time, now);
    return fmt::format("{}  ({}{})", utc_text(*time), age_text(time, now), *time > now ? "" : " ago");
}

json summary_json(const outbox::summary& one) {
    return {{"id", one.id},
            {"status", one.status},
            {"name", status_name(one.status)},
            {"exchange", one.exchange},
            {"routing_key", one.routing_key},
            {"try_count", one.try_count},
            {"next_try_time", json_or_null(one.next_try_time)},
            {"create_time", json_or_null(one.create_time)},
            {"update_time", json_or_null(one.update_time)},
            {"order_key", json_or_null(one.order_key)},
            {"last_error", json_or_null(one.last_error)},
            {"body_size", one.body_size}};
}

void add_body(json& to, const std::string& name, const std::string& body, bool whole) {
    if (const auto text = shown_text(body, whole)) {
        to[name] = *text;
    } else {
        std::string hex;
        for (const char c : body) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
        to[name + "_hex"] = hex;
    }
    to[name + "_complete"] = whole;
}

std::string dumped(const json& document) {
    return document.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace sidecar
