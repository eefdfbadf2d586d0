#pragma once
// relay/sweep.hpp - where to read next, and when. Pure; one thread.
//
// A full sweep reads the due rows from the start of the index, page after page, to the end. It alone finds every row:
// also those that a slow transaction committed long after later ones, and those without a time. But the start of the
// index is where InnoDB keeps the remains of settled rows for as long as some old snapshot might want them, and then a
// full sweep is slow even over an empty table. So between full sweeps, short ones read only what can be new: rows whose
// time is not long before the last full sweep. Full sweeps become rarer by what they cost.

#include <chrono>
#include <optional>

#include "outbox/store.hpp"
#include "relay/clock.hpp"

namespace relay {

class sweep {
  public:
    struct pace {
        std::chrono::milliseconds poll_min{2};
        std::chrono::milliseconds poll_max{100};
    };

    explicit sweep(pace settings) : pace_(settings), interval_(settings.poll_min) {}

    /// Where the next page begins; nullopt: not before due_at().
    std::optional<outbox::position> next(time_point now);
    time_point due_at() const { return next_at_; }

    /// What the page read from there brought. `taken`: rows that were new; `early`: some of them had no time, or one
    /// that only a full sweep looks at. `cost`: how long the read took.
    void page_read(const outbox::page& page, std::size_t taken, time_point now, std::chrono::microseconds cost);

    /// New rows may have come: whatever is next is due at once.
    void hurry(time_point now);

    /// Something was released, or the database came back: everything has to be looked at, at once.
    void restart();

  private:
    bool beyond_short(const outbox::page& page) const;
    void finish(time_point now);

    const pace pace_;
    std::chrono::microseconds interval_;
    time_point next_at_{};
    std::optional<outbox::position> next_page_;  // set within a sweep

    bool full_ = true;  // the sweep under way, or the next
    bool restart_ = true;
    bool found_ = false;        // in the sweep under way
    bool found_early_ = false;  // likewise, something that a short sweep would have missed
    std::chrono::microseconds cost_{0};
    time_point next_full_{};
    std::optional<outbox::epoch_ms> started_;  // the database's clock at the start of the full sweep under way
    std::optional<outbox::epoch_ms> floor_;    // short sweeps begin at this time
    time_point early_until_{};                 // rows that only full sweeps find have been coming
};

}  // namespace relay
