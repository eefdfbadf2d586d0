#pragma once
// relay/emptiness.hpp - watches for the moment at which nothing is left to deliver (`run --until-empty`).

#include <chrono>
#include <optional>
#include <string>

#include "outbox/store.hpp"
#include "relay/backoff.hpp"
#include "relay/clock.hpp"
#include "relay/observer.hpp"
#include "relay/random_source.hpp"

namespace relay {

/// One thread. Asks the table alone, never the relay: a row keeps status 0 until its outcome is recorded, so what is
/// read, in flight, unsettled, or another sidecar's, is still seen there.
class emptiness {
  public:
    emptiness(outbox::unfinished_rows& table, const relay::clock& clock, random_source draw, observer& watch);

    /// One look. Returns how long to leave the database alone; nullopt: nothing is left, see delayed().
    std::optional<std::chrono::milliseconds> run_once();

    /// Rows that are not waited for: the application put them off.
    std::uint64_t delayed() const { return delayed_; }

  private:
    std::chrono::milliseconds failed(const char* what);

    outbox::unfinished_rows& table_;
    const relay::clock& clock_;
    const random_source draw_;
    observer& watch_;
    backoff backoff_;
    std::uint64_t delayed_ = 0;
    bool connected_ = false;
    std::string what_failed_;  // reported already
};

}  // namespace relay
