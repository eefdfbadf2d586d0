#pragma once
// relay/bell.hpp - wakes the one thread that waits at it. Rung while nobody waits, it is heard at the next wait.

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace relay {

/// ring(): any thread. wait(): one thread at a time.
class bell {
  public:
    void ring() {
        {
            const std::lock_guard lock(mutex_);
            rung_ = true;
        }
        heard_.notify_one();
    }

    /// Returns when rung, or after `at_most`.
    void wait(std::chrono::milliseconds at_most) {
        std::unique_lock lock(mutex_);
        heard_.wait_for(lock, at_most, [this] { return rung_; });
        rung_ = false;
    }

  private:
    std::mutex mutex_;
    std::condition_variable heard_;
    bool rung_ = false;  // guarded by mutex_
};

}  // namespace relay
