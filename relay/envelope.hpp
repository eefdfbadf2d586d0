#pragma once
// relay/envelope.hpp - what may be put around a body, or beside it. Pure; any thread.

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "conf/settings.hpp"
#include "outbox/message.hpp"
#include "relay/outcome.hpp"

namespace relay {

/// `row`: the row as a JSON object, with its members in this order:
///   {"id":"…","msg":"…","exchange":"…","routingKey":"…","status":0,"tryCount":0,"nextTryTime":…,"createTime":…,
///    "updateTime":…}
/// `msg` is the body as a JSON string, times are epoch milliseconds, and what the row has not is null.
/// Impossible when a text is not UTF-8, which JSON has to be (RFC 8259, section 8.1).
std::variant<std::string, impossible> row_envelope(const outbox::message& row);

/// `cloudevents`: adds the attributes of a CloudEvent to the headers and leaves the body alone, as the binary content
/// mode has it (CloudEvents AMQP Protocol Binding 1.0.2, section 3.1): specversion, id, source, type, and time if the
/// row has a create_time between the years 1970 and 9999. `datacontenttype` is AMQP's content type. A header that the
/// row itself holds is left as it is.
///
/// The names begin with `cloudEvents_`, which section 3.1.3.1 prefers because JMS can't select on `cloudEvents:`. One
/// message has to use one separator for all, so a row with a header `cloudEvents:…` gets that prefix.
///
/// The type is `cloudevents_type`; if that is empty, the routing key, else the exchange, else "message".
void add_cloud_event(const outbox::message& row, const conf::message& settings, nlohmann::json& headers);

}  // namespace relay
