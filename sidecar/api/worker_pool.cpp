#include "sidecar/api/worker_pool.hpp"

namespace sidecar::api {

worker_pool::worker_pool(std::function<std::unique_ptr<outbox::store>()> make, limits most) : limits_(most) {
    for (std::size_t i = 0; i < limits_.threads; ++i) stores_.push_back(make());
    for (const auto& store : stores_) threads_.emplace_back([this, &one = *store] { work(one); });
}

void worker_pool::end() {
    stop();
    for (auto& one : threads_) one.join();
    threads_.clear();
}

bool worker_pool::take(job one) {
    const std::lock_guard lock(mutex_);
    if (stopped_ || queue_.size() >= limits_.queue) return false;
    queue_.push_back(std::move(one));
    changed_.notify_one();
    return true;
}

void worker_pool::stop() {
    std::deque<job> dropped;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(queue_);
    changed_.notify_all();
}

void worker_pool::work(outbox::store& store) {
    for (;;) {
        job one;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
            if (stopped_) return;
            one = std::move(queue_.front());
            queue_.pop_front();
        }
        one(store);
    }
}

}  // namespace sidecar::api
