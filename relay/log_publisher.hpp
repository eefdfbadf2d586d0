#pragma once
// relay/log_publisher.hpp - no broker at all: prints what would be sent, for trying out and for an application's own
// tests.

#include <memory>

#include "relay/observer.hpp"
#include "relay/publisher.hpp"

namespace relay {

/// Writes each message as one line of JSON to the file descriptor, which stays the caller's: exchange, routing_key, the
/// AMQP properties that are set, headers, and body (text) or body_base64 (what is not UTF-8). A line that has been
/// written whole counts as `confirmed`, though nobody has confirmed anything: it says so as a warning when it begins.
/// Where nothing can be written (a full disk, a closed pipe) the link is down, and it is tried again once a second; a
/// line that was cut off is written again whole. A reader that stops reading holds up poll().
std::unique_ptr<publisher> make_log_publisher(int descriptor, observer& watch);

/// The line for one message, without its end.
std::string log_line(const outgoing& message);

}  // namespace relay
