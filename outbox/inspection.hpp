#pragma once
// outbox/inspection.hpp - what operators ask of the table, and what they do to it by hand.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "outbox/message.hpp"

namespace outbox {

/// Which messages; all conditions that are given must hold. Texts are compared byte by byte, whatever the collation.
struct message_filter {
    std::optional<int> status;               // of any value, also one that is nobody's
    std::optional<std::string> exchange;     // exactly; "" is the default exchange
    std::optional<std::string> routing_key;  // exactly
    std::string id_prefix;                   // these bytes; no wildcards
    std::string error;                       // a part of last_error; no wildcards. Without that column nothing matches
    std::optional<epoch_ms> since;           // update_time at or after
    std::optional<epoch_ms> before;          // update_time before
};

/// A message without its body.
struct summary {
    std::string id;
    int status = 0;
    std::string exchange;
    std::string routing_key;
    std::int64_t try_count = 0;
    std::optional<epoch_ms> next_try_time;
    std::optional<epoch_ms> create_time;
    std::optional<epoch_ms> update_time;
    std::optional<std::string> order_key;
    std::optional<std::string> last_error;
    std::uint64_t body_size = 0;  // bytes

    bool operator==(const summary&) const = default;
};

/// One message as it stands.
struct detail {
    summary what;
    std::string body;  // its first bytes: as many as were asked for
    std::optional<std::string> headers;
    std::optional<std::string> properties;
};

/// A place in a listing: after this row.
struct list_place {
    std::optional<epoch_ms> update_time;
    std::string id;

    bool operator==(const list_place&) const = default;
};

struct listing {
    std::vector<summary> rows;
    std::optional<list_place> next;  // where the next page begins; nullopt: this was the last
};

/// Throws as outbox/store.hpp says. Every change of status names the status that it leaves, so that it is safe beside
/// running sidecars.
class inspection {
  public:
    virtual ~inspection() = default;

    /// The database's clock.
    virtual epoch_ms clock() = 0;

    /// At most `limit` messages from `after` on, the latest change first: by (update_time, id) downwards, those without
    /// an update_time last. With a status given it costs what the page holds, not what the table holds, as long as the
    /// other conditions match; without one, only rows of status 0 to 3 are listed.
    virtual listing list(const message_filter& filter, const std::optional<list_place>& after, std::size_t limit) = 0;

    /// How many `list` would list in all; stops counting at `at_most`.
    virtual std::uint64_t count(const message_filter& filter, std::uint64_t at_most) = 0;

    /// nullopt: there is no such message.
    virtual std::optional<detail> show(const std::string& id, std::size_t body_bytes) = 0;

    /// Puts failed messages (2) back to be delivered (0), due now, with no tries spent; `also_delivered`: those of
    /// status 1 too. Never those of status 3. Returns how many changed.
    virtual std::size_t retry(std::span<const std::string> ids, bool also_delivered) = 0;

    /// Deletes messages; those of status 0 only when told to, as they are lost then. Returns how many went.
    virtual std::size_t remove(std::span<const std::string> ids, bool also_undelivered) = 0;
};

}  // namespace outbox
