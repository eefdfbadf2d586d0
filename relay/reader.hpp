#pragma once
// relay/reader.hpp - finds due rows and hands them to the publisher.

#include <atomic>
#include <chrono>
#include <deque>
#include <string>
#include <unordered_set>
#include <vector>

#include "outbox/store.hpp"
#include "relay/backoff.hpp"
#include "relay/clock.hpp"
#include "relay/in_flight.hpp"
#include "relay/lanes.hpp"
#include "relay/observer.hpp"
#include "relay/parking.hpp"
#include "relay/random_source.hpp"
#include "relay/send_queue.hpp"
#include "relay/sweep.hpp"

namespace relay {

/// run_once() and abandon() belong to one thread; reread() and look() may be called by any. While no lane is open it
/// asks nothing of the database.
class reader {
  public:
    struct limits {
        std::size_t page_rows = 500;
        sweep::pace pace;
        bool ordered = false;  // by order_key
    };

    /// `park` is told of the database's clock.
    reader(outbox::due_rows& rows, const relay::lanes& lanes, relay::in_flight& in_flight, send_queue& out,
           const relay::clock& clock, random_source draw, observer& watch, limits settings, parking* park = nullptr);

    /// One step: at most one page, and what has become free of order keys. Returns how long there is nothing to do,
    /// unless rung before.
    std::chrono::milliseconds run_once();

    /// Rows were released: they are due, and may lie anywhere.
    void reread() { reread_ = true; }

    /// There may be new rows.
    void look() { look_ = true; }

    /// Lets go of what is held back here, at the end.
    void abandon();

  private:
    void stamp(outbox::message& row) const;
    const std::string& key_of(const outbox::message& row) const;
    bool take_up(outbox::message& row);
    std::unordered_set<std::string> heads_in(const std::vector<outbox::message>& rows);
    void read_next_of_keys();
    bool hand_over();
    bool fetch_body(outbox::message& row);
    void read_page(const outbox::position& after);
    std::chrono::milliseconds database_failed(const char* what);

    outbox::due_rows& rows_;
    const relay::lanes& lanes_;
    relay::in_flight& in_flight_;
    send_queue& out_;
    const relay::clock& clock_;
    const random_source draw_;
    observer& watch_;
    const limits limits_;
    parking* const park_;

    std::atomic<bool> reread_{false};
    std::atomic<bool> look_{false};
    open_lanes open_;  // those that the sweep under way looks at
    sweep sweep_;
    backoff backoff_;
    bool connected_ = false;
    std::string what_failed_;            // reported already
    std::deque<outbox::message> held_;   // read, but there is no room for them yet
    std::deque<std::string> free_keys_;  // whose next row is to be taken up, without waiting for a sweep
};

}  // namespace relay
