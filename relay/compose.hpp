#pragma once
// relay/compose.hpp - from a row to what is sent, or the reason why it never can be.

#include <cstdint>
#include <optional>
#include <variant>

#include "conf/settings.hpp"
#include "outbox/message.hpp"
#include "relay/outcome.hpp"
#include "relay/outgoing.hpp"

namespace relay {

/// Says so when a body of `size` bytes is over the limit of `max_body` bytes (0: no limit known). For a body that was
/// left out of its page: it need not be fetched to learn this.
std::optional<impossible> over_limit(std::uint64_t size, std::uint64_t max_body);

/// Since when, by the database's clock, the row was to be sent. Of one that was tried before only create_time is left
/// of that, as a retry writes next_try_time. nullopt: the row does not say.
std::optional<outbox::epoch_ms> due_since_of(const outbox::message& row);

/// Makes of a row what is sent. Pure; constant after construction, so any thread may call it.
class composer {
  public:
    /// Throws std::invalid_argument when the content type or the app id is over 255 bytes: no message could be sent.
    /// `traced`: the delivery carries the header traceparent, too.
    explicit composer(conf::message settings, bool traced = false);

    /// The row's body must have been loaded. `max_body` limits the body as sent, envelope included; 0: no limit known.
    ///
    /// - message_id is the id. An id over 255 bytes is sent whole as the header `outbox-id`, which wins over the row's
    ///   own, and message_id is then "sha256:" and the SHA-256 of the id's bytes in 64 hex digits.
    /// - timestamp is create_time, unless that is missing or negative.
    /// - headers and properties are the row's (relay/json_object.hpp, relay/properties.hpp); content_type and app_id
    ///   default to the settings.
    /// - the body is as stored, byte for byte, unless the envelope says otherwise (relay/envelope.hpp).
    ///
    /// `impossible` names the field, the limit and the actual size, never the body; it is short, and UTF-8. The row is
    /// then as it was; otherwise it is used up. Throws std::bad_alloc only.
    std::variant<outgoing, impossible> compose(outbox::message&& row, std::uint64_t max_body) const;

  private:
    conf::message settings_;
    bool traced_;
};

}  // namespace relay
