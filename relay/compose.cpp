#include "relay/compose.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "relay/digest.hpp"
#include "relay/envelope.hpp"
#include "relay/json_object.hpp"
#include "relay/properties.hpp"

namespace relay {

namespace {

constexpr std::size_t max_short_string = 255;  // AMQP 0-9-1, section 4.2.5.3

using fault = std::optional<impossible>;

fault over_short_string(const std::string& what, std::string_view text) {
    if (text.size() <= max_short_string) return std::nullopt;
    return impossible{what + " is " + std::to_string(text.size()) + " bytes, AMQP allows " +
                      std::to_string(max_short_string)};
}

fault read_headers(std::string_view text, nlohmann::json& headers) {
    auto parsed = parse_object("headers", text);
    if (auto* why = std::get_if<impossible>(&parsed)) return std::move(*why);
    headers = std::move(std::get<nlohmann::json>(parsed));
    return std::nullopt;
}

void identify(const outbox::message& row, outgoing& to) {
    if (row.id.size() <= max_short_string) {
        to.message_id = row.id;
    } else {
        to.message_id = sha256_of(row.id);
        to.headers["outbox-id"] = row.id;
    }
    if (row.create_time && *row.create_time >= 0) to.timestamp_ms = static_cast<std::uint64_t>(*row.create_time);
}

// Sets the body where it is not to be the row's own.
fault wrap(const outbox::message& row, const conf::message& settings, std::optional<std::string>& body, outgoing& to) {
    switch (settings.envelope) {
        case conf::envelope::none: break;
        case conf::envelope::cloudevents: add_cloud_event(row, settings, to.headers); break;
        case conf::envelope::row: {
            auto wrapped = row_envelope(row);
            if (auto* why = std::get_if<impossible>(&wrapped)) return std::move(*why);
            body = std::move(std::get<std::string>(wrapped));
            to.content_type = "application/json";
            to.content_encoding.reset();  // it is the encoding of msg, not of what surrounds it
            break;
        }
    }
    return std::nullopt;
}

std::string text_or_empty(const nlohmann::json& headers, const char* name) {
    const auto found = headers.find(name);
    return found != headers.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::optional<outbox::epoch_ms> due_since_of(const outbox::message& row) {
    auto since = row.create_time;
    if (row.try_count == 0 && row.next_try_time && *row.next_try_time > since.value_or(0)) since = row.next_try_time;
    return since && *since > 0 ? since : std::nullopt;
}

std::optional<impossible> over_limit(std::uint64_t size, std::uint64_t max_body) {
    if (max_body == 0 || size <= max_body) return std::nullopt;
    return impossible{"body is " + std::to_string(size) + " bytes, the broker takes " + std::to_string(max_body)};
}

composer::composer(conf::message settings, bool traced) : settings_(std::move(settings)), traced_(traced) {
    for (const auto& why :
         {over_short_string("content_type", settings_.content_type), over_short_string("app_id", settings_.app_id)}) {
        if (why) throw std::invalid_argument(why->reason);
    }
}

std::variant<outgoing, impossible> composer::compose(outbox::message&& row, std::uint64_t max_body) const {
    outgoing made;
    made.content_type = settings_.content_type;
    made.app_id = settings_.app_id;

    if (auto why = over_short_string("exchange", row.exchange)) return *why;
    if (auto why = over_short_string("routing_key", row.routing_key)) return *why;
    if (auto why = over_limit(row.body.size(), max_body)) return *why;
    if (row.headers) {
        if (auto why = read_headers(*row.headers, made.headers)) return *why;
    }
    if (row.properties) {
        if (auto why = read_properties(*row.properties, made)) return *why;
    }
    identify(row, made);
    std::optional<std::string> enveloped;
    if (auto why = wrap(row, settings_, enveloped, made)) return *why;
    if (enveloped) {
        if (auto why = over_limit(enveloped->size(), max_body)) return *why;
    }
    if (!made.headers.empty()) {
        if (auto why = unfit_headers(made.headers)) return *why;
    }

    // Only now is the row used up.
    made.body = enveloped ? std::move(*enveloped) : std::move(row.body);
    const auto due_since = due_since_of(row);
    made.row = {std::move(row.id), std::move(row.exchange), std::move(row.routing_key),
                row.try_count,     made.body.size(),        due_since};
    if (traced_) made.row.traceparent = text_or_empty(made.headers, "traceparent");
    return made;
}

}  // namespace relay
