#pragma once
// relay/settler.hpp - records outcomes, many rows at a time, until they are recorded. And releases what was parked.

#include <chrono>
#include <deque>
#include <functional>
#include <vector>

#include "outbox/store.hpp"
#include "relay/backoff.hpp"
#include "relay/clock.hpp"
#include "relay/in_flight.hpp"
#include "relay/observer.hpp"
#include "relay/outcome_queue.hpp"
#include "relay/parking.hpp"
#include "relay/random_source.hpp"
#include "relay/retry_policy.hpp"

namespace relay {

/// One thread. An outcome that can't be recorded is kept: while the database is away, all of them; when a single row is
/// the matter (locked by someone, refused by a trigger), only that one, and the others go on.
class settler {
  public:
    struct limits {
        std::size_t batch_rows;
        // From one batch to the next, unless that is full: each costs a flush to the disk, which the broker may share.
        std::chrono::milliseconds pause{10};
    };

    /// `settled` is called after each recorded batch: there is room for new rows.
    settler(outbox::settlements& store, relay::in_flight& in_flight, outcome_queue& in, const relay::clock& clock,
            random_source draw, observer& watch, retry_rules rules, limits settings, std::function<void()> settled,
            parking* park = nullptr);

    /// One step: at most one batch, and one of those to be released. Returns how long there is nothing to do, unless
    /// rung before.
    std::chrono::milliseconds run_once();

    /// Outcomes held here that are not recorded yet.
    std::size_t unsettled() const;

    /// The database was away when it was last asked.
    bool stuck() const { return stuck_; }

    /// At the end: the outcomes that are not recorded, for a settler at the same table, which takes them over before
    /// its first step, and before any row is read. Until it has recorded them, their rows are not sent again.
    std::vector<outbox::settlement> hand_over();
    void take_over(std::vector<outbox::settlement>&& rows);

    /// Leaves what is not released yet to come due by itself.
    void abandon_releases();

  private:
    using batch = std::vector<outbox::settlement>;

    struct release {
        release_order order;
        std::uint64_t after = 0;          // when so many outcomes were taken in, all of its rows were among them
        std::optional<std::string> next;  // where to go on, among those of the order's last time
        std::size_t rows = 0;             // released already
    };

    struct deferred {
        time_point until;
        outbox::settlement row;
    };

    std::chrono::milliseconds pause_left() const;
    batch next_batch();
    batch judged(std::vector<attempt>&& attempts);
    void record(batch&& rows);
    void divide(batch&& rows, const char* why);
    bool release_some();

    outbox::settlements& store_;
    relay::in_flight& in_flight_;
    outcome_queue& in_;
    const relay::clock& clock_;
    const random_source draw_;
    observer& watch_;
    const retry_rules rules_;
    const limits limits_;
    const std::function<void()> settled_;
    parking* const park_;

    std::deque<batch> waiting_;      // before anything new
    std::deque<deferred> deferred_;  // one by one, each for its own reason, in the order of `until`
    std::uint64_t taken_in_ = 0;     // outcomes
    std::deque<release> releases_;
    time_point release_at_{};
    backoff backoff_;
    time_point next_at_{};
    bool connected_ = false;
    bool stuck_ = false;
};

}  // namespace relay
