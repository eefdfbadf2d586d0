#pragma once
// relay/observer.hpp - what the relay tells whoever watches it (logs, metrics, probes). Called from the relay's
// threads, concurrently: implementations are thread-safe, fast and do not throw. Nothing here carries a body or a
// secret.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "outbox/census.hpp"
#include "relay/outcome.hpp"
#include "relay/purger.hpp"

namespace relay {

/// What was done in a dead-letter queue since it was told last.
struct letter_report {
    std::string_view queue;               // one of the configured ones, or that a pattern means
    std::optional<std::uint64_t> length;  // nullopt: not looked at now
    std::uint64_t redriven = 0;
    std::uint64_t filed = 0;    // in the ledger
    std::uint64_t refused = 0;  // could be neither; they are still there
    bool dropped = false;       // the queue is not looked after any more: it is gone, or no pattern means it
};

enum class notice_event { delivered, failed, given_up, untold };

/// What became of telling one failure.
struct notice_report {
    notice_event outcome = notice_event::delivered;  // failed: it will be tried again
    std::int64_t entry = 0;                          // of the ledger
    std::string_view url;                            // as it is configured: not for logs
    std::string_view why;
};

/// The loops that relaying stands on: as long as each turns, the process is of use.
enum class loop { reader, pump, settler, keeper };

class observer {
  public:
    virtual ~observer() = default;

    virtual void broker_up(std::string_view /*where*/) {}
    virtual void broker_down(std::string_view /*why*/, std::chrono::milliseconds /*next_try*/) {}
    virtual void broker_blocked(std::string_view /*reason*/) {}
    virtual void broker_unblocked() {}
    virtual void broker_warning(std::string_view /*text*/) {}  // e.g. a topology that does not match, no peer check

    virtual void database_up(std::string_view /*role*/) {}
    virtual void database_down(std::string_view /*role*/, std::string_view /*why*/) {}
    virtual void database_error(std::string_view /*role*/, std::string_view /*what*/) {}

    virtual void lane_taken(unsigned /*lane*/, unsigned /*of*/) {}
    virtual void lane_lost(unsigned /*lane*/, std::string_view /*why*/) {}
    /// `to` asked for it; empty: it is for anyone.
    virtual void lane_released(unsigned /*lane*/, std::string_view /*to*/) {}
    virtual void standing_by() {}  // all lanes are others'
    /// Sidecars with another number of lanes are at work. At most once a minute.
    virtual void lanes_waiting(unsigned /*ours*/, unsigned /*theirs*/) {}
    virtual void lanes_unprotected() {}  // there is no table of leases: a second sidecar would send all again

    virtual void attempted(const attempt& /*one*/) {}
    /// What became known at once. Instead of attempted(), for those who can do better with many.
    virtual void attempted_all(std::span<const attempt> batch) {
        for (const auto& one : batch) attempted(one);
    }
    /// A try was spent and another will follow.
    virtual void retrying(const delivery&, std::int64_t /*tries*/, std::chrono::milliseconds /*in*/,
                          std::string_view /*error*/) {}
    /// The row is given up: status 2.
    virtual void failed(const delivery&, std::int64_t /*tries*/, std::string_view /*error*/) {}
    /// No queue wants messages of this exchange and routing key: they wait until there is a route.
    virtual void parked(std::string_view /*exchange*/, std::string_view /*routing_key*/, std::string_view /*why*/) {}
    /// There is one: so many are due again. nullopt: none of them were heard of for long.
    virtual void unparked(std::string_view /*exchange*/, std::string_view /*routing_key*/,
                          std::optional<std::size_t> /*rows*/) {}
    /// So many keys are parked now, with so many rows, as far as this process knows.
    virtual void parking(std::size_t /*keys*/, std::uint64_t /*rows*/) {}
    /// `changed` of `asked` rows took their new status; the others had been changed or deleted by someone else.
    virtual void settled(std::size_t /*asked*/, std::size_t /*changed*/, std::chrono::microseconds /*took*/) {}
    virtual void purged(const purge_report& /*report*/) {}

    /// The queue of receipts is at hand, or is not, and why.
    virtual void receipts_up(std::string_view /*where*/) {}
    virtual void receipts_down(std::string_view /*why*/, std::chrono::milliseconds /*next_try*/) {}
    /// Receipts were recorded: so many rows have become consumed, so many stay as they are, as they are consumed
    /// already or have failed, and of these ids (empty: it had none) there is no row.
    virtual void receipts_taken(std::size_t /*changed*/, std::size_t /*unchanged*/,
                                std::span<const std::string> /*unknown*/) {}

    /// So many messages are to be delivered again, as their receipt is overdue.
    virtual void redelivered(std::size_t /*rows*/) {}

    /// A loop has done one step; also in the midst of a long one, after each answer of the other side.
    virtual void turned(loop /*which*/) {}
    /// So many rows are on their way. With each step of the reader.
    virtual void carrying(std::size_t /*rows*/) {}
    /// The database's clock, asked for at `asked`, with an answer after at most `took`. With each sweep.
    virtual void database_clock(outbox::epoch_ms /*now*/, time_point /*asked*/, std::chrono::microseconds /*took*/) {}
    /// What the table holds. nullopt: another sidecar counts it from now on.
    virtual void counted(const std::optional<outbox::census>& /*what*/) {}

    virtual void notice(const notice_report& /*report*/) {}
    /// So many failures are still to be told, at least.
    virtual void notices_waiting(std::uint64_t /*entries*/) {}

    virtual void dead_letters(const letter_report& /*report*/) {}
    /// The management API has said which queues there are, or did not, and why; empty: another sidecar asks now.
    virtual void management_up() {}
    virtual void management_down(std::string_view /*why*/) {}
    /// So many queues are meant by patterns and not looked after, as there are too many. When that has changed.
    virtual void dead_letters_left_out(std::size_t /*queues*/) {}
    /// Once for each new reason. Without a queue, it concerns all of them.
    virtual void dead_letters_trouble(std::string_view /*queue*/, std::string_view /*why*/) {}
};

}  // namespace relay
