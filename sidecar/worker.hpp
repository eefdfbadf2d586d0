#pragma once
// sidecar/worker.hpp - a thread beside those that relay, for what is done now and then and may end at any moment.

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "relay/bell.hpp"

namespace sidecar {

/// stop() and going(): any thread.
class worker {
  public:
    /// `job` runs on the new thread, and returns soon after going() has become false.
    explicit worker(std::function<void(worker&)> job) : thread_([this, job = std::move(job)] { job(*this); }) {}

    /// Waits for the job's end.
    ~worker() {
        stop();
        thread_.join();
    }

    bool going() const { return !stopped_; }

    /// Tells the job to end; does not wait for it.
    void stop() {
        stopped_ = true;
        bell_.ring();
    }

    /// For the job: sleeps until then, or until stop().
    void rest(std::chrono::milliseconds at_most) {
        if (going() && at_most > std::chrono::milliseconds(0)) bell_.wait(at_most);
    }

  private:
    std::atomic<bool> stopped_{false};
    relay::bell bell_;
    std::thread thread_;  // the last: it uses the others
};

}  // namespace sidecar
