#pragma once
// relay/dead_letter.hpp - what is to become of a message in a dead-letter queue, by its headers. Pure; any thread.
//
// Source: https://www.rabbitmq.com/docs/dlx#effects - x-death is an array of tables, the latest death first, with
// queue, reason, count, exchange, routing-keys and time (seconds); x-first-death-* name the first. From RabbitMQ 4.0 on
// the broker reads none of it in a message that is published again, so redrives are counted in a header of our own. Of
// messages that a consumer publishes to the queue itself, libraries tell the origin in x-original-exchange and
// x-original-routingKey (Spring AMQP's RepublishMessageRecoverer).

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conf/settings.hpp"

namespace relay {

/// How often a message was redriven.
inline constexpr std::string_view redrives_header = "x-outbox-redrives";
/// Seconds since the epoch before which nothing is done to it again.
inline constexpr std::string_view not_before_header = "x-outbox-not-before";

struct destination {
    std::string exchange;
    std::string routing_key;
    bool operator==(const destination&) const = default;
};

/// What the headers say. Whatever is missing or of another type is as if it were not there.
struct death_certificate {
    std::optional<destination> origin;  // where it was first published to
    std::string queue;                  // in which it died first; empty: not said
    std::string reason;                 // of that: "rejected", "expired", "maxlen", "delivery_limit"
    std::int64_t deaths = 0;            // in all
    std::optional<std::int64_t> died;   // the latest death, seconds since the epoch
    std::int64_t redrives = 0;
    std::int64_t not_before = 0;
    std::int64_t deliveries = 0;  // out of the dead-letter queue, as quorum queues count them (x-delivery-count)
    std::string exception;        // what the consumer left: x-exception-message
    std::string stack_trace;      // x-exception-stacktrace
};

/// `headers` is an object.
death_certificate read_certificate(const nlohmann::json& headers);

struct redrive {
    destination to;
};
struct file {};
struct wait {
    std::chrono::seconds time{0};  // at least 1
};
/// It does not say where it came from, and the configuration does not say where it is to go.
struct no_origin {};
using fate = std::variant<redrive, file, wait, no_origin>;

/// `now` in seconds since the epoch. A redrive waits until `interval` after the last death, and after the redrive
/// before it; what was redriven often enough is filed.
fate decide(const death_certificate& of, const conf::dead_letters& settings, std::int64_t now);

/// Where it goes, whenever that is. nullopt: see no_origin.
std::optional<destination> destination_of(const death_certificate& of, const conf::dead_letters& settings);

/// Headers that its copy does without: those about deaths, so that the next death is told anew, and consumers that
/// count deaths count from the start; and those about the consumer's failure.
const std::vector<std::string>& headers_of_death();

/// What its copy says instead.
nlohmann::json headers_of_redrive(const death_certificate& of, const conf::dead_letters& settings, std::int64_t now);

/// For the ledger: why and where it died, how often it was redriven, when, `letter` (what tells it from others), and on
/// further lines `why_now`, unless that is empty, and what the consumer left.
std::string obituary(const death_certificate& of, std::string_view dead_letter_queue, std::string_view letter,
                     std::string_view why_now);

}  // namespace relay
