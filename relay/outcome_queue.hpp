#pragma once
// relay/outcome_queue.hpp - outcomes on their way to the settler. Bounded by relay/in_flight.hpp: each is a row in it.

#include <deque>
#include <mutex>
#include <vector>

#include "relay/bell.hpp"
#include "relay/outcome.hpp"

namespace relay {

/// Thread-safe. wait() is for the settler alone.
class outcome_queue {
  public:
    void push(std::vector<attempt>&& more) {
        {
            const std::lock_guard lock(mutex_);
            for (auto& one : more) attempts_.push_back(std::move(one));
        }
        bell_.ring();
    }

    std::vector<attempt> pop(std::size_t count) {
        const std::lock_guard lock(mutex_);
        std::vector<attempt> popped;
        while (popped.size() < count && !attempts_.empty()) {
            popped.push_back(std::move(attempts_.front()));
            attempts_.pop_front();
        }
        return popped;
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return attempts_.size();
    }

    void wait(std::chrono::milliseconds at_most) { bell_.wait(at_most); }
    void ring() { bell_.ring(); }

  private:
    mutable std::mutex mutex_;
    std::deque<attempt> attempts_;  // guarded by mutex_
    bell bell_;
};

}  // namespace relay
