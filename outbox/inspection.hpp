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

/// Messages of one exchange that have the same last error.
struct message_group {
    std::string exchange;
    std::optional<std::string> error;  // its first line, 200 bytes at most; nullopt: there is none
    std::uint64_t rows = 0;
    std::optional<epoch_ms> oldest;  // update_time; nullopt: none has one
    std::optional<epoch_ms> latest;

    bool operator==(const message_group&) const = default;
};

struct message_groups {
    std::vector<message_group> groups;  // the largest first
    std::uint64_t looked_at = 0;        // rows of the filter
    bool complete = true;               // there are no more
};

/// What is to become of a message that failed; what is nullopt stays as it is.
struct message_changes {
    std::optional<std::string> exchange = {};
    std::optional<std::string> routing_key = {};
    std::optional<std::string> headers = {};     // JSON text; "": none
    std::optional<std::string> properties = {};  // likewise
    std::optional<std::string> body = {};        // any bytes, as far as the column holds them
};

enum class edit_outcome {
    done,        // changed, and due now
    not_failed,  // it is not in status 2 (any more); nothing has changed
    gone,        // there is no such message
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
    /// other conditions match; without one, only rows of status 0 to 3 are listed. `sizes` false: without body_size,
    /// for which the database has to fetch large bodies.
    virtual listing list(const message_filter& filter, const std::optional<list_place>& after, std::size_t limit,
                         bool sizes = true) = 0;

    /// How many `list` would list in all; stops counting at `at_most`.
    virtual std::uint64_t count(const message_filter& filter, std::uint64_t at_most) = 0;

    /// The `limit` largest groups of what `list` would list, by exchange and last error. Looks at no more than the
    /// latest `look_at_most` of these rows, and at fewer when they are of more than 10,000 groups.
    message_groups groups(const message_filter& filter, std::uint64_t look_at_most, std::size_t limit);

    /// nullopt: there is no such message.
    virtual std::optional<detail> show(const std::string& id, std::size_t body_bytes) = 0;

    /// Puts failed messages (2) back to be delivered (0), due now, with no tries spent; `also_delivered`: those of
    /// status 1 too. Never those of status 3. Returns how many changed.
    virtual std::size_t retry(std::span<const std::string> ids, bool also_delivered) = 0;

    /// Changes a failed message (2), and puts it back to be delivered as `retry` does: one UPDATE. Throws store_error,
    /// with nothing changed, for a column that is not there, or that can't hold what it is to hold.
    virtual edit_outcome edit(const std::string& id, const message_changes& changes) = 0;

    /// Deletes messages; those of status 0 only when told to, as they are lost then. Returns how many went.
    virtual std::size_t remove(std::span<const std::string> ids, bool also_undelivered) = 0;
};

}  // namespace outbox
