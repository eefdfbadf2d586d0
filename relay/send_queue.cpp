#include "relay/send_queue.hpp"

#include <algorithm>
#include <utility>

namespace relay {
namespace {

std::uint64_t weight(const outbox::message& row) {
    return row.body.size() + (row.headers ? row.headers->size() : 0) + (row.properties ? row.properties->size() : 0);
}

}  // namespace

bool send_queue::is_open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

void send_queue::open() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(open_, true)) return;
    }
    drained_();
}

std::vector<std::string> send_queue::shut() {
    std::vector<std::string> ids;
    const std::lock_guard lock(mutex_);
    open_ = false;
    for (auto& row : rows_) ids.push_back(std::move(row.id));
    rows_.clear();
    bytes_ = 0;
    return ids;
}

bool send_queue::has_room_for(std::uint64_t bytes) const {
    const std::lock_guard lock(mutex_);
    return rows_.empty() || bytes_ + bytes <= most_bytes_;
}

bool send_queue::push(outbox::message&& row) {
    {
        const std::lock_guard lock(mutex_);
        if (!open_) return false;
        bytes_ += weight(row);
        rows_.push_back(std::move(row));
    }
    filled_();
    return true;
}

std::vector<outbox::message> send_queue::pop(std::size_t count) {
    std::vector<outbox::message> popped;
    {
        const std::lock_guard lock(mutex_);
        count = std::min(count, rows_.size());
        for (std::size_t i = 0; i < count; ++i) {
            bytes_ -= weight(rows_.front());
            popped.push_back(std::move(rows_.front()));
            rows_.pop_front();
        }
    }
    if (!popped.empty()) drained_();
    return popped;
}

std::size_t send_queue::size() const {
    const std::lock_guard lock(mutex_);
    return rows_.size();
}

}  // namespace relay
