#pragma once
// relay/parking.hpp - messages that no queue wants wait in the table, without a try spent, until there is a route.
//
// The first message of an exchange and routing key that comes back parks that key, and becomes its probe: it alone is
// put off for a short while and sent again. All others of the key, also new ones, are put off further, unsent, until
// the key's hold: one point in time, to the millisecond, which no other key of this process has. When a probe or a new
// message arrives, all that wait for that time are to be released (outbox::settlements::release).
//
// What is remembered here may be lost at any time: then the probe, and later the others, come due by themselves.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "outbox/message.hpp"
#include "relay/clock.hpp"
#include "relay/observer.hpp"
#include "relay/outcome.hpp"

namespace relay {

/// A key has a route again: what is parked until one of these times can go.
struct release_order {
    std::string exchange;
    std::string routing_key;
    std::vector<outbox::epoch_ms> times;
};

/// Thread-safe.
class parking {
  public:
    struct terms {
        std::chrono::milliseconds probe{30'000};  // from one probe of a key to the next
        std::size_t most_keys = 1'000;            // beyond, returned messages spend tries
    };

    parking(const relay::clock& clock, observer& watch, terms settings);

    /// The database's clock showed `now` at `at`. To be told before the first message is sent, and now and then.
    void database_clock(outbox::epoch_ms now, time_point at);

    /// What is to be recorded of a row instead of sending it; nullopt: send it.
    std::optional<parked> hold_back(const outbox::message& row);

    /// What was sent has this outcome. One that was returned becomes `parked`, if its key is or can be.
    void judge(attempt& one);

    /// Hands over the orders that have come of judge(), now that what was parked before is where orders() can count on
    /// it: with the settler.
    void announce();
    std::vector<release_order> orders();

    /// Once a second, forgets keys of which nothing was heard for long, and tells how many are parked.
    void tidy();

    /// How long the others wait, if nothing releases them: ten probes, but no more than five minutes, or two probes if
    /// that is longer.
    static std::chrono::milliseconds hold_of(std::chrono::milliseconds probe);

  private:
    using key = std::pair<std::string, std::string>;  // exchange, routing key

    struct place {
        std::string reason;
        time_point since{};
        time_point touched{};     // when it was last heard of
        std::string probe;        // the id of the row that is put off for a shorter while
        bool probing = false;     // it is sent, and its outcome awaited
        time_point next_probe{};  // from then on any other row will do
        outbox::epoch_ms probe_until = 0;
        outbox::epoch_ms until = 0;  // the hold
        std::uint64_t rows = 0;      // put off until then
        std::uint64_t before = 0;    // until the hold before that
    };

    outbox::epoch_ms database_now() const;
    outbox::epoch_ms new_hold(outbox::epoch_ms now);
    parked put_off(place& one, outbox::epoch_ms at_least);
    void returned(attempt& one, const relay::returned& why);
    void confirmed(const attempt& one);

    const relay::clock& clock_;
    observer& watch_;
    const terms terms_;
    const std::chrono::milliseconds hold_;
    std::atomic<bool> empty_{true};  // there are no places: for those that ask per message

    // Guarded by mutex_.
    std::mutex mutex_;
    std::map<key, place> places_;
    std::vector<release_order> pending_;  // not announced yet
    std::vector<release_order> orders_;
    outbox::epoch_ms clock_base_ = 0;  // what the database's clock showed at clock_at_
    time_point clock_at_{};
    outbox::epoch_ms last_hold_ = 0;
    time_point tidy_at_{};
    std::pair<std::size_t, std::uint64_t> told_{};
    bool said_full_ = false;
};

}  // namespace relay
