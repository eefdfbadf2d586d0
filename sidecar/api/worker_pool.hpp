#pragma once
// sidecar/api/worker_pool.hpp - the threads that ask the database for the API, so that no connection waits for
// another's answer, and no matter how many ask, the database sees few.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "outbox/store.hpp"

namespace sidecar::api {

/// Any thread.
class worker_pool {
  public:
    using job = std::function<void(outbox::store&)>;

    struct limits {
        std::size_t threads = 2;  // as many connections to the database
        std::size_t queue = 32;   // jobs that wait
    };

    /// `make`: a store that connects when it is first used; each thread has its own. A job must not throw.
    worker_pool(std::function<std::unique_ptr<outbox::store>()> make, limits most);
    ~worker_pool() { end(); }
    worker_pool(const worker_pool&) = delete;
    worker_pool& operator=(const worker_pool&) = delete;

    /// False: too many wait already, or it is ending; the job is not done.
    bool take(job one);

    /// Takes no more jobs and drops those that wait; does not wait for those under way.
    void stop();

    /// Likewise, and waits for them. One thread.
    void end();

  private:
    void work(outbox::store& store);

    const limits limits_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::deque<job> queue_;
    bool stopped_ = false;

    std::vector<std::unique_ptr<outbox::store>> stores_;
    std::vector<std::thread> threads_;  // the last: they use the others
};

}  // namespace sidecar::api
