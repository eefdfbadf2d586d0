#pragma once
// relay/queue_lister.hpp - asks now and then which queues there are, for those who know them by a pattern alone.

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "relay/observer.hpp"

namespace relay {

class queue_directory {
  public:
    virtual ~queue_directory() = default;

    /// The names of the queues of the virtual host, at least of those that matter. Blocks for a bounded time. Throws
    /// std::runtime_error: it can't be had now.
    virtual std::vector<std::string> names() = 0;
};

/// One thread.
class queue_lister {
  public:
    /// `in_charge`: whether it is for this sidecar to ask. `learn` is given what was found.
    queue_lister(queue_directory& directory, std::chrono::milliseconds interval, observer& watch,
                 std::function<bool()> in_charge, std::function<void(std::vector<std::string>)> learn)
        : directory_(directory),
          interval_(interval),
          watch_(watch),
          in_charge_(std::move(in_charge)),
          learn_(std::move(learn)) {}

    /// Asks, if that is for this sidecar to do. Returns how long to wait then. What could not be asked is as it was.
    std::chrono::milliseconds run_once() {
        if (!in_charge_()) {
            if (std::exchange(asking_, false)) watch_.management_down({});
            return std::chrono::seconds(1);
        }
        asking_ = true;
        try {
            learn_(directory_.names());
            watch_.management_up();
        } catch (const std::exception& error) {
            watch_.management_down(error.what());
        }
        return interval_;
    }

  private:
    queue_directory& directory_;
    const std::chrono::milliseconds interval_;
    observer& watch_;
    const std::function<bool()> in_charge_;
    const std::function<void(std::vector<std::string>)> learn_;
    bool asking_ = false;
};

}  // namespace relay
