#pragma once
// relay/lane_keeper.hpp - takes, renews, hands over and releases the leases of lanes (relay/lane_policy.hpp says
// which), and tells the others what may be relayed.
//
// A lease is trusted for less time than it is given: from before its renewal was asked for, until a fifth before its
// end. Whoever takes the lane next waits for its end by the database's clock. So two send rows of one lane only
//
// - when this process was held up (SIGSTOP, swapping, a paused container, a broker that takes nothing off the socket)
//   in the moment between asking is_open() and the end of writing the row, for longer than that fifth. One row goes out
//   late then, and what the kernel still had in the socket's buffer;
// - when the database's clock is set forward by more than that fifth, or the machine's monotonic clock stands still
//   while time passes, as in a virtual machine that is paused and resumed, until the next look at the leases.
//
// Then messages may arrive twice. None is lost by it: recording an outcome never depends on a lease.

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "outbox/leases.hpp"
#include "relay/backoff.hpp"
#include "relay/clock.hpp"
#include "relay/in_flight.hpp"
#include "relay/lane_policy.hpp"
#include "relay/lanes.hpp"
#include "relay/observer.hpp"
#include "relay/random_source.hpp"

namespace relay {

/// open(), is_open(), leads() and leave(): any thread. The others: one thread.
class lane_keeper final : public lanes {
  public:
    struct terms {
        std::string instance;  // unlike that of any other process, earlier ones included
        unsigned lanes = 1;
        std::chrono::milliseconds lease{0};
    };

    /// Nothing is held, and nothing is admitted to `in_flight`, before run_once() has taken a lane. `changed` is called
    /// after open() has come to say something else, other than by the clock.
    lane_keeper(outbox::leases& table, relay::in_flight& in_flight, const relay::clock& clock, random_source draw,
                observer& watch, terms settings, std::function<void()> changed);

    /// One step: at most one look at the leases and one change. Returns how long there is nothing to do, unless rung
    /// before. Where there is no table of leases, all lanes are open for as long as there is none.
    std::chrono::milliseconds run_once();

    /// From now on no row is taken up, and run_once() releases each lane that has nothing in flight any more.
    void leave();
    /// Releases all that is held, whatever is in flight, if the database is there.
    void release();

    /// Lane 0 is open: what one of all sidecars is to do for all of them is this one's.
    bool leads() const;

    open_lanes open() const override;
    bool is_open(unsigned lane, std::int64_t epoch) const override;

  private:
    struct holding {
        unsigned lane = 0;
        std::int64_t epoch = 0;
        bool giving = false;  // wanted elsewhere: not open any more, and to be released when drained
        time_point giving_since{};
        time_point kept_until{};  // it did not drain in time: not to be given away before
    };

    void look();
    bool find_table();
    void change(bool release_all = false);
    lane_view view() const;
    bool is_drained(const holding& one) const;
    bool owns_what_it_holds(const std::vector<outbox::lease>& leases) const;
    void adopt(const lane_plan& plan, time_point asked);
    void give(const std::vector<unsigned>& wanted);
    void hold(std::vector<holding>&& holdings, time_point until);
    void report(const std::vector<holding>& before, const std::vector<outbox::lease>& leases);
    void report_idleness(const lane_plan& plan);
    void check_deadline();
    std::chrono::milliseconds until_next_step() const;
    std::chrono::milliseconds failed(const char* what);

    outbox::leases& table_;
    relay::in_flight& in_flight_;
    const relay::clock& clock_;
    const random_source draw_;
    observer& watch_;
    const terms terms_;
    const std::function<void()> changed_;

    bool has_table_ = false;
    bool protected_ = true;  // false: there is no table, and all lanes are open
    bool connected_ = false;
    bool asking_ = false;
    bool fenced_ = false;       // reported: what is held may belong to others by now
    bool standing_by_ = false;  // reported
    std::string what_failed_;   // likewise
    backoff backoff_;
    time_point renew_at_{};
    time_point next_look_{};
    time_point report_waiting_at_{};

    // Guarded by mutex_. Written by the keeper's thread alone, which reads without it; leaving_ is written by any.
    mutable std::mutex mutex_;
    std::vector<holding> held_;  // by lane
    time_point until_{};         // not trusted from then on
    std::atomic<bool> leaving_{false};
};

}  // namespace relay
