#pragma once
// relay/census_taker.hpp - has the table counted now and then, off the way of the rows.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "outbox/census.hpp"
#include "relay/clock.hpp"
#include "relay/observer.hpp"

namespace relay {

/// One thread.
class census_taker {
  public:
    /// `in_charge`: whether it is for this sidecar to count, as one counts for all of them. `overdue`: after so long, a
    /// message's receipt is.
    census_taker(outbox::counting& table, const relay::clock& clock, observer& watch, std::function<bool()> in_charge,
                 std::optional<std::chrono::milliseconds> overdue = std::nullopt);

    /// Counts once, if that is for this sidecar to do. Returns how long to wait then: the dearer it was, the longer.
    std::chrono::milliseconds run_once();

  private:
    outbox::counting& table_;
    const relay::clock& clock_;
    observer& watch_;
    const std::function<bool()> in_charge_;
    const std::optional<std::chrono::milliseconds> overdue_;

    bool counting_ = false;
    bool connected_ = false;
    std::string what_failed_;  // reported already
};

}  // namespace relay
