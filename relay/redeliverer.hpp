#pragma once
// relay/redeliverer.hpp - puts messages back to be delivered whose receipt is overdue.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "outbox/inspection.hpp"
#include "relay/observer.hpp"

namespace relay {

/// One thread.
class redeliverer {
  public:
    /// `settings.overdue` and `settings.redeliver.within` are given. `in_charge`: whether it is for this sidecar to do,
    /// as one does it for all of them, and receipts are not merely late in being recorded.
    redeliverer(outbox::inspection& table, const conf::receipts& settings, observer& watch,
                std::function<bool()> in_charge);

    /// Puts back at most `batch_rows` messages, as an operator's forced retry does (1 to 0): delivered ones that have
    /// not changed for longer than `overdue`, and that were created no longer ago than `within`. As each waits for
    /// `overdue` again, none is put back more often than `within` / `overdue` times. Returns how long to wait then.
    std::chrono::milliseconds run_once();

  private:
    std::vector<std::string> overdue();

    outbox::inspection& table_;
    const conf::receipts settings_;
    observer& watch_;
    const std::function<bool()> in_charge_;

    bool connected_ = false;
    std::string what_failed_;  // reported already
};

}  // namespace relay
