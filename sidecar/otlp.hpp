#pragma once
// sidecar/otlp.hpp - spans as a collector wants them: OTLP over HTTP in JSON
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding), named after OpenTelemetry's conventions for
// messaging (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/).

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace sidecar {

struct broker_address {
    std::string host;
    std::uint16_t port = 0;
};

/// One attempt to publish one message, from sending it to the broker's answer.
struct publish_span {
    std::string trace_id;
    std::string span_id;
    std::string parent_id;    // empty: none
    std::uint64_t start = 0;  // nanoseconds since the epoch
    std::uint64_t end = 0;
    std::string message_id;
    std::string exchange;
    std::string routing_key;
    std::uint64_t body_size = 0;
    std::string error;                             // the outcome's name; empty: confirmed and routed
    std::string reason;                            // with an error: more about it, may be empty
    std::shared_ptr<const broker_address> broker;  // null: not known
};

/// Who sends them.
struct span_resource {
    std::string service_name;
    std::string instance;
};

/// The body of one POST. What is not UTF-8 is replaced.
std::string otlp_json(const span_resource& from, std::span<const publish_span> spans);

}  // namespace sidecar
