#pragma once
// outbox/store.hpp - what the sidecar asks of a database, whichever kind it is.
//
// An object of these interfaces is one connection: it connects at first use and again after a loss, blocks, and is used
// by one thread at a time. Every function may throw
//
//   store_unavailable: the database can't be reached, was lost or is read-only: try again later.
//
//   store_busy: a lock was not to be had (deadlock, lock wait timeout). Nothing changed; fewer rows may get through.
//
//   store_error: the database understood and refused: the statement, the rights or the data are at fault.
//
// Only what changes something (settle, release, purge, retry, edit, remove, retry_entry, remove_entries, take_receipts
// …) can have taken effect when it throws store_unavailable, and repeating it does no harm; purge, retry, remove,
// remove_entries and take_receipts go in steps, of which those before the throw stand.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.hpp"
#include "outbox/census.hpp"
#include "outbox/inspection.hpp"
#include "outbox/leases.hpp"
#include "outbox/ledger.hpp"
#include "outbox/message.hpp"
#include "outbox/notices.hpp"
#include "outbox/receipts.hpp"

namespace outbox {

class store_unavailable : public std::runtime_error {
    using runtime_error::runtime_error;
};

class store_busy : public std::runtime_error {
    using runtime_error::runtime_error;
};

class store_error : public std::runtime_error {
    using runtime_error::runtime_error;
};

/// What the url names will never do as it is: another file, another program's. For people it is a wrong configuration.
class store_unusable : public store_error {
    using store_error::store_error;
};

/// A place in the order in which due rows are read: rows without a time come first, then (next_try_time, id).
struct position {
    std::optional<epoch_ms> time;   // nullopt: among the rows without a time
    std::optional<std::string> id;  // rows after this one; nullopt: from the first row of that time on

    bool operator==(const position&) const = default;
};

struct page {
    std::vector<message> rows;
    position next;                // where the next page begins
    bool complete = true;         // no due row was left beyond this page
    std::optional<epoch_ms> now;  // the database's clock, when the page was read from the very start
};

class due_rows {
  public:
    virtual ~due_rows() = default;

    /// Reads the rows of status 0 whose time has come, of the given lanes, from `after` on, at most `limit`. Takes no
    /// lock, writes nothing. Bodies larger than an implementation's inline limit are left out (message::body_left_out).
    virtual page due(const position& after, std::size_t limit, const lane_set& of = {}) = 0;

    /// Fetches a body that a page left out. False: the row is gone or is no longer in status 0.
    virtual bool load_body(message& row) = 0;

    // ---- order by key: of the rows of an order_key, by (create_time, id), the first unsettled one alone may be sent

    /// Throws store_unusable when order can't be kept: there is no column order_key, or no index to do it by.
    virtual void require_order() = 0;

    /// The id of the first unsettled row of each of these keys: of status 0, due or not; with on_failed: block also of
    /// status 2. Keys without such a row are left out. Throws like require_order().
    virtual std::vector<std::string> heads(std::span<const std::string> keys) = 0;

    /// Of the rows with these ids those that due() would bring, in any order.
    virtual std::vector<message> due_among(std::span<const std::string> ids, const lane_set& of = {}) = 0;
};

/// What became of a row, as it is to be recorded.
struct settlement {
    enum class kind { delivered, retry, failed, parked };

    std::string id;
    kind what = kind::delivered;
    std::int64_t try_count = 0;          // the new value; written for `retry` and `failed`
    std::chrono::milliseconds delay{0};  // `retry`: from the database's now
    std::string error = {};              // not `delivered`: goes to last_error, if there is such a column
    epoch_ms until = 0;                  // `parked`: the new next_try_time, to the millisecond
};

/// How the last_error of a parked row begins. It tells it from one that the application has put off to the same time.
inline constexpr std::string_view parked_mark = "parked: ";

/// What one step of settlements::release() came to.
struct released {
    std::size_t rows = 0;             // are due now
    std::optional<std::string> next;  // where the next step begins; nullopt: that was the last
};

class settlements {
  public:
    virtual ~settlements() = default;

    /// Records outcomes in one transaction. Each row changes only if it still has status 0; a row that has not
    /// (consumed already, deleted, changed by an operator) is left as it is. Returns how many rows changed. The same id
    /// must not occur twice. Settling the same again leaves the same result.
    ///
    /// Those that become failed are filed in the ledger (outbox/ledger.hpp), if there is one, in the same transaction.
    /// A ledger that refuses a row keeps nobody from being settled: see unfiled().
    virtual std::size_t settle(std::span<const settlement> batch) = 0;

    /// Makes parked rows due at once: those of status 0 that were parked until exactly this time. One step, in a
    /// transaction of its own: at most `limit` rows, in the order of their ids, after the id `after`. Without a column
    /// last_error none can be told from rows that the application has put off: all wait for their time then.
    virtual released release(epoch_ms parked_until, const std::optional<std::string>& after, std::size_t limit) = 0;

    /// Why failures of the last `settle` are not in the ledger although there is one; nullopt: they are.
    virtual std::optional<std::string> unfiled() const { return std::nullopt; }
};

class housekeeping {
  public:
    virtual ~housekeeping() = default;

    /// Deletes at most `limit` rows of the status whose update_time (create_time where that is NULL) is older than
    /// `age`. Returns how many. Throws std::invalid_argument for status::delivering: what is to be delivered is never
    /// purged.
    virtual std::size_t purge(status of, std::chrono::milliseconds age, std::size_t limit) = 0;

    /// How many rows `purge` would delete in all. Counts an index, without locks. Throws likewise.
    virtual std::uint64_t purgeable(status of, std::chrono::milliseconds age) = 0;

    /// Deletes at most `limit` entries of this outbox from the ledger that were filed longer than `age` ago, the oldest
    /// first. Returns how many; nullopt: there is no ledger, or it does not say when they were filed.
    virtual std::optional<std::size_t> purge_ledger(std::chrono::milliseconds age, std::size_t limit) = 0;

    /// How many `purge_ledger` would delete in all; nullopt: likewise.
    virtual std::optional<std::uint64_t> purgeable_in_ledger(std::chrono::milliseconds age) = 0;
};

/// A count that may have stopped early: "at least".
struct counted {
    std::uint64_t count = 0;
    bool complete = true;
};

struct backlog {
    std::map<int, std::uint64_t> by_status;  // every value that occurs, also unknown ones
    std::uint64_t due = 0;                   // of status 0, those whose time has come
    std::optional<epoch_ms> oldest_due;      // next_try_time (create_time where that is NULL or 0)
    epoch_ms now = 0;
    /// Of which a row is due but has to wait, as an earlier one waits for its time or (on_failed: block) has failed.
    /// nullopt: there is no order, or it can't be kept.
    std::optional<counted> blocked_keys;
};

/// What is still to be done, in all lanes, whoever relays them.
struct rows_left {
    bool unfinished = false;    // a row of status 0 is due, on its way, parked, or waits for another try
    std::uint64_t delayed = 0;  // rows of status 0 that were never tried and whose time has not come; 0 if unfinished
};

class unfinished_rows {
  public:
    virtual ~unfinished_rows() = default;

    /// Looks at all rows of status 0 at one moment: one that goes from waiting to due meanwhile is not missed. Costs
    /// little while a row is due, and otherwise what the delayed ones are. Takes no lock, writes nothing.
    virtual rows_left left() = 0;
};

/// One thing that `doctor` found out.
struct finding {
    enum class grade { good, advice, problem };

    grade level = grade::good;
    std::string subject;  // "index for due rows"
    std::string found;    // what is
    std::string advice;   // what to do about it; empty when good
};

struct migration {
    int number = 0;
    std::string name;
    std::string sql;  // plain statements, each ended by ";" at a line's end
};

struct migration_state {
    int number = 0;
    std::string name;
    std::optional<std::string> applied_at;  // UTC; nullopt: pending
};

class administration {
  public:
    virtual ~administration() = default;

    virtual outbox::backlog backlog() = 0;

    /// Looks at schema, indexes, plans, rights, isolation, clock and charset. Changes nothing.
    virtual std::vector<finding> examine() = 0;

    /// (exchange, number of pending rows) for rows of status 0, the largest first, at most `limit`; '' left out.
    virtual std::vector<std::pair<std::string, std::uint64_t>> pending_exchanges(std::size_t limit) = 0;

    /// All migrations as one plain SQL script for a DBA, with their bookkeeping. Needs no connection.
    virtual std::string migration_script() const = 0;
    virtual std::vector<migration_state> migration_status() = 0;
    /// Applies what is pending, in order, and returns the numbers applied. Two at once are safe: one waits.
    virtual std::vector<int> migrate() = 0;
};

class store : public due_rows,
              public settlements,
              public housekeeping,
              public leases,
              public unfinished_rows,
              public administration,
              public inspection,
              public counting,
              public receipts,
              public ledger,
              public notices {};

struct store_options {
    conf::after_delivery after_delivery = conf::after_delivery::keep;
    std::string role;      // shown in the server's process list where it can be: "reader", "settler"…
    bool ordered = false;  // by order_key
    conf::on_failed on_failed = conf::on_failed::skip;
};

/// Makes a store for the database that the url's scheme names. Does not connect.
/// Throws std::invalid_argument for an url it can't use; the message names the fault, never the password.
std::unique_ptr<store> make_store(const conf::database& database, const store_options& options);

}  // namespace outbox
