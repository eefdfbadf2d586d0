#pragma once
// sidecar/pause_switch.hpp - whether the relay takes rows up. In memory only: a process begins by relaying.

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

namespace sidecar {

/// Any thread.
class pause_switch {
  public:
    /// `changed` is told of each change, one at a time.
    explicit pause_switch(std::function<void(bool paused)> changed) : changed_(std::move(changed)) {}

    bool is_on() const { return on_; }

    void set(bool on) {
        const std::lock_guard lock(mutex_);
        if (on_.exchange(on) != on) changed_(on);
    }

  private:
    const std::function<void(bool)> changed_;
    std::mutex mutex_;
    std::atomic<bool> on_{false};
};

}  // namespace sidecar
