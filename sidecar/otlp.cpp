#include "sidecar/otlp.hpp"

#include <nlohmann/json.hpp>

#include "sidecar/version.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;

constexpr int kind_producer = 4;
constexpr int status_error = 2;

json text(const char* key, const std::string& value) { return {{"key", key}, {"value", {{"stringValue", value}}}}; }

// 64-bit numbers are texts in JSON.
json number(const char* key, std::uint64_t value) {
    return {{"key", key}, {"value", {{"intValue", std::to_string(value)}}}};
}

std::string destination_of(const publish_span& one) {
    if (one.exchange.empty() && one.routing_key.empty()) return "amq.default";
    if (one.exchange.empty()) return one.routing_key;
    return one.routing_key.empty() ? one.exchange : one.exchange + ':' + one.routing_key;
}

json span_json(const publish_span& one) {
    const auto destination = destination_of(one);
    auto attributes = json::array(
        {text("messaging.system", "rabbitmq"), text("messaging.operation.name", "publish"),
         text("messaging.operation.type", "send"), text("messaging.destination.name", destination),
         text("messaging.message.id", one.message_id), number("messaging.message.body.size", one.body_size)});
    if (!one.routing_key.empty())
        attributes.push_back(text("messaging.rabbitmq.destination.routing_key", one.routing_key));
    if (one.broker) {
        attributes.push_back(text("server.address", one.broker->host));
        attributes.push_back(number("server.port", one.broker->port));
    }
    if (!one.error.empty()) attributes.push_back(text("error.type", one.error));
    json span = {{"traceId", one.trace_id}, {"spanId", one.span_id}};
    if (!one.parent_id.empty()) span["parentSpanId"] = one.parent_id;
    span["name"] = "publish " + destination;
    span["kind"] = kind_producer;
    span["startTimeUnixNano"] = std::to_string(one.start);
    span["endTimeUnixNano"] = std::to_string(one.end);
    span["attributes"] = std::move(attributes);
    if (!one.error.empty()) {
        span["status"] = {{"code", status_error}};
        if (!one.reason.empty()) span["status"]["message"] = one.reason;
    }
    return span;
}

}  // namespace

std::string otlp_json(const span_resource& from, std::span<const publish_span> spans) {
    auto all = json::array();
    for (const auto& one : spans) all.push_back(span_json(one));
    auto who = json::array({text("service.name", from.service_name), text("service.version", std::string(version)),
                            text("service.instance.id", from.instance)});
    const json scope = {{"name", "outbox-sidecar"}, {"version", version}};
    const json document = {
        {"resourceSpans",
         json::array({{{"resource", {{"attributes", std::move(who)}}},
                       {"scopeSpans", json::array({{{"scope", scope}, {"spans", std::move(all)}}})}}})}};
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace sidecar
