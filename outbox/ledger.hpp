#pragma once
// outbox/ledger.hpp - the ledger of failures: the table sys_mq_fail. Where it exists, settlements::settle files each
// row that it gives up (status 2), in the same transaction. Outboxes of one database share it; each sees its own
// entries, and those that others have filed there without saying for which.
//
// An existing table with the classic columns alone, narrow as they may be, is used as it is: texts are cut to what
// there is room for. An id that does not fit is filed cut in custom_message_id and left out of message_id, so that no
// retry takes it for another message's.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "outbox/message.hpp"

namespace outbox {

/// One row of sys_mq_fail.
struct ledger_entry {
    enum class side { producer = 0, consumer = 1 };  // fail_flag

    std::int64_t id = 0;
    side failed_on = side::producer;
    std::string message_id;                      // msg_log.id
    std::string exchange;                        // topic
    std::string routing_key;                     // tags
    std::optional<std::string> key;              // message_key: the order_key
    std::optional<std::string> headers;          // JSON text
    std::string reason;                          // ex_content
    std::uint64_t payload_size = 0;              // bytes
    std::optional<std::string> message_created;  // UTC, "2026-11-21T08:30:00Z"
    std::int64_t retries = 0;                    // by hand
    bool last_retry_succeeded = false;
    std::optional<epoch_ms> filed;  // nullopt: a table without that column
};

/// Which entries; all conditions that are given must hold. Texts are compared byte by byte, as far as they were filed.
struct ledger_filter {
    std::optional<ledger_entry::side> side = {};
    std::optional<std::string> exchange = {};     // exactly; "" is the default exchange
    std::optional<std::string> routing_key = {};  // exactly
    std::optional<std::string> message_id = {};   // exactly
    std::string reason = {};                      // a part of it; no wildcards
    std::optional<epoch_ms> since = {};           // filed at or after. Without that column nothing matches
    std::optional<epoch_ms> before = {};          // filed before; likewise
};

/// What an entry failed of, without what differs from one entry to the next: its reason's first line, 200 bytes at
/// most; of a dead letter, how and in which queue it died, and the first line of what is known beyond that.
std::string cause_of(const ledger_entry& one);

/// Entries of one side and exchange with the same cause.
struct failure_group {
    ledger_entry::side side = ledger_entry::side::producer;
    std::string exchange;
    std::string reason;  // the cause
    std::uint64_t entries = 0;
    std::optional<epoch_ms> oldest;  // filed; nullopt: none says when
    std::optional<epoch_ms> latest;

    bool operator==(const failure_group&) const = default;
};

struct failure_groups {
    std::vector<failure_group> groups;  // the largest first
    std::uint64_t looked_at = 0;        // entries of the filter
    bool complete = true;               // there are no more
};

/// A message that failed for good on the consumer's side.
struct consumer_failure {
    std::optional<std::string> message_id;
    std::string exchange;  // with the routing key: where it is to be sent, should it be sent again
    std::string routing_key;
    std::optional<std::string> headers;     // JSON text
    std::optional<std::string> properties;  // likewise
    std::string payload;                    // any bytes
    std::string reason;                     // tells it from all others; see file_failure
    std::optional<std::int64_t> created;    // seconds since the epoch
};

/// What became of sending a consumer's failure again.
enum class ledger_resend {
    done,      // now
    not_done,  // it could not be sent
    already,   // it was sent before
    no_entry,  // there is no such entry of the consumer's side
};

/// What became of a retry by hand.
enum class ledger_retry {
    done,        // the message is back in status 0
    not_failed,  // it is not in status 2: somebody was quicker, or it has been sent again since
    gone,        // it is no longer in msg_log
    consumers,   // it failed on the consumer's side: see resend_entry
    no_entry,    // there is no such entry
};

/// Throws as outbox/store.hpp says.
class ledger {
  public:
    virtual ~ledger() = default;

    /// False: there is no table sys_mq_fail with the columns that a ledger needs, and nothing is filed.
    virtual bool has_ledger() = 0;

    /// At most `limit` entries with an id below `before`, the latest first. `whole` false: without headers, key and
    /// payload_size, and of the reason its beginning.
    virtual std::vector<ledger_entry> entries(const ledger_filter& filter, std::optional<std::int64_t> before,
                                              std::size_t limit, bool whole = true) = 0;
    std::vector<ledger_entry> entries(std::optional<std::int64_t> before, std::size_t limit) {
        return entries(ledger_filter(), before, limit);
    }

    /// How many there are in all; stops counting at `at_most`.
    virtual std::uint64_t count_entries(const ledger_filter& filter, std::uint64_t at_most) = 0;

    /// The `limit` largest groups, by side, exchange and cause. Looks at no more than the latest `look_at_most` entries
    /// of the filter, and at fewer when they are of more than 10,000 groups.
    outbox::failure_groups failure_groups(const ledger_filter& filter, std::uint64_t look_at_most, std::size_t limit);

    /// Deletes entries. Returns how many went. The messages they tell of stay as they are.
    virtual std::size_t remove_entries(std::span<const std::int64_t> entries) = 0;

    /// The payload as it was filed; nullopt: no such entry.
    virtual std::optional<std::string> payload(std::int64_t entry) = 0;

    /// Puts the message of a producer's failure back to be delivered, due now, with no tries spent, and records in the
    /// entry that it was done or could not be: one transaction. Of two that retry the same entry at once, one is told
    /// `done`, the other `not_failed`.
    virtual ledger_retry retry_entry(std::int64_t entry) = 0;

    /// Files one failure of the consumer's side. False: there is no ledger. `perhaps_filed`: if one of the latest 1,000
    /// entries has the same reason, that is taken for this one, as far as the column has room for 1,000 characters.
    /// Throws store_error also where the payload would not fit whole.
    virtual bool file_failure(const consumer_failure& one, bool perhaps_filed) = 0;

    /// Has a consumer's failure sent again by `send`, and records in the entry whether that was done: one transaction,
    /// in which the entry is locked while `send` is at work. What was sent before is sent again only with `repeat`.
    /// Throws store_busy while somebody else sends it; what `send` throws, with nothing recorded. When it throws after
    /// `send` has returned, that may not be recorded.
    virtual ledger_resend resend_entry(std::int64_t entry, bool repeat,
                                       const std::function<bool(const consumer_failure&)>& send) = 0;
};

}  // namespace outbox
