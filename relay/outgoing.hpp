#pragma once
// relay/outgoing.hpp - a message ready to be sent, in terms that any broker understands.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "relay/outcome.hpp"

namespace relay {

struct outgoing {
    delivery row;
    std::string body;

    nlohmann::json headers = nlohmann::json::object();  // an object; values of any JSON type
    std::string message_id;                             // at most 255 bytes
    std::optional<std::uint64_t> timestamp_ms;          // since the epoch
    std::string content_type;
    std::string app_id;
    std::optional<std::string> content_encoding;
    std::optional<std::string> correlation_id;
    std::optional<std::string> reply_to;
    std::optional<std::string> expiration;  // milliseconds as decimal digits, as AMQP 0-9-1 has it
    std::optional<std::string> type;
    std::optional<std::uint8_t> priority;
    std::uint8_t delivery_mode = 2;  // 2 persistent, 1 transient
};

}  // namespace relay
