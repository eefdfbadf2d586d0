#pragma once
// relay/json_object.hpp - reads JSON that anybody may have written into a row, within bounds. Pure; any thread.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "relay/outcome.hpp"

namespace relay {

/// Objects and arrays inside each other, the outermost included.
constexpr std::size_t max_json_depth = 32;
/// Bytes of JSON text. Well above what fits max_headers_size, however it is escaped and indented.
constexpr std::size_t max_json_text = 1024 * 1024;

/// Bytes that the headers may take as an AMQP table. AMQP 0-9-1 (section 4.2.6.1) puts all properties into one frame;
/// RabbitMQ and its clients agree on frames of 128 KiB unless configured otherwise, and 4 KiB are left for the frame
/// itself and for all other properties at their longest.
constexpr std::size_t max_headers_size = (128 - 4) * 1024;

/// Parses a JSON object (RFC 8259); of members with the same name, the last counts. Blank text and `null`, which some
/// libraries write for "nothing", are an empty object. Impossible when it is anything else, is not UTF-8, or is over
/// one of the bounds above, which is found out before anything is built. `what` names the text in the reason:
/// "headers".
std::variant<nlohmann::json, impossible> parse_object(std::string_view what, std::string_view text);

/// Says so when headers can't be sent: more than max_headers_size bytes as an AMQP table, or a name, at any depth, over
/// the 255 bytes of a short string. `headers` is an object no deeper than max_json_depth.
std::optional<impossible> unfit_headers(const nlohmann::json& headers);

/// At most 64 bytes of a UTF-8 text for a reason, in quotes; cut between characters, with "…" where something is
/// missing.
std::string excerpt(std::string_view text);

}  // namespace relay
