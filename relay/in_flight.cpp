#include "relay/in_flight.hpp"

namespace relay {

void in_flight::read_began() {
    const std::lock_guard lock(mutex_);
    reading_ = true;
}

void in_flight::read_ended() {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    for (const auto& id : settled_during_read_) rows_.erase(id);
    settled_during_read_.clear();
}

bool in_flight::admit(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return rows_.try_emplace(id, state::on_its_way).second;
}

void in_flight::settled(std::span<const std::string> ids) {
    const std::lock_guard lock(mutex_);
    for (const auto& id : ids) {
        if (!reading_) {
            rows_.erase(id);
        } else if (const auto row = rows_.find(id); row != rows_.end()) {
            row->second = state::settled_during_read;
            settled_during_read_.push_back(id);
        }
    }
}

void in_flight::released(std::span<const std::string> ids) {
    const std::lock_guard lock(mutex_);
    for (const auto& id : ids) rows_.erase(id);
}

std::size_t in_flight::room() const {
    const std::lock_guard lock(mutex_);
    return rows_.size() < most_ ? most_ - rows_.size() : 0;
}

std::size_t in_flight::size() const {
    const std::lock_guard lock(mutex_);
    return rows_.size();
}

}  // namespace relay
