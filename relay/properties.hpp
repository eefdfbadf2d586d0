#pragma once
// relay/properties.hpp - the column `properties`: what a row says about its message beyond headers and body.

#include <optional>
#include <string_view>

#include "relay/outcome.hpp"
#include "relay/outgoing.hpp"

namespace relay {

/// Reads a JSON object into `message`; a member that is missing or null leaves what is there, whatever its name. Pure;
/// any thread.
///
///   content_type, content_encoding, correlation_id, reply_to, type, app_id   strings of at most 255 bytes
///   expiration      whole milliseconds, 0 to 4294967295, as a number or a string of digits
///   priority        0 to 255
///   delivery_mode   1 transient, 2 persistent
///
/// Impossible when it is no such object, a value is of another type or out of range (RabbitMQ would answer 406 and
/// close the channel), or a name is not in the list. `message` may have been changed in part then.
std::optional<impossible> read_properties(std::string_view json, outgoing& message);

}  // namespace relay
