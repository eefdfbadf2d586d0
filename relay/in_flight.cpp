#include "relay/in_flight.hpp"

#include <functional>
#include <utility>

namespace relay {
namespace {

constexpr std::hash<std::string> hash_of;

}  // namespace

void in_flight::read_began() {
    const std::lock_guard lock(mutex_);
    reading_ = true;
}

void in_flight::read_ended() {
    const std::lock_guard lock(mutex_);
    reading_ = false;
    for (const auto id : settled_during_read_) rows_.erase(id);
    settled_during_read_.clear();
}

bool in_flight::admit(const std::string& id, unsigned lane, const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (open_ && open_->count(lane) == 0) return false;
    if (!key.empty() && keys_.count(key) > 0) return false;
    if (!rows_.try_emplace(hash_of(id), entry{.lane = lane, .key = key}).second) return false;
    if (!key.empty()) keys_.insert(key);
    ++unsettled_[lane];
    return true;
}

void in_flight::hold(std::span<const std::string> ids) {
    const std::lock_guard lock(mutex_);
    for (const auto& id : ids) {
        if (rows_.try_emplace(hash_of(id), entry{.lane = no_lane}).second) ++unsettled_[no_lane];
    }
}

bool in_flight::has_key(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    return keys_.count(key) > 0;
}

std::vector<std::string> in_flight::freed_keys() {
    const std::lock_guard lock(mutex_);
    return std::exchange(freed_keys_, {});
}

void in_flight::admit_only(std::vector<unsigned> lanes) {
    const std::lock_guard lock(mutex_);
    open_.emplace(lanes.begin(), lanes.end());
}

bool in_flight::has(unsigned lane) const {
    const std::lock_guard lock(mutex_);
    return unsettled_.count(lane) > 0;
}

void in_flight::unsettled_no_more(entry& row) {
    if (const auto count = unsettled_.find(row.lane); --count->second == 0) unsettled_.erase(count);
    if (row.key.empty()) return;
    keys_.erase(row.key);
    freed_keys_.push_back(std::move(row.key));
}

void in_flight::settled(std::span<const std::string> ids) {
    const std::lock_guard lock(mutex_);
    for (const auto& one : ids) {
        const auto id = hash_of(one);
        const auto row = rows_.find(id);
        if (row == rows_.end() || row->second.settled) continue;
        unsettled_no_more(row->second);
        if (!reading_) {
            rows_.erase(row);
        } else {
            row->second.settled = true;
            settled_during_read_.push_back(id);
        }
    }
}

void in_flight::released(std::span<const std::string> ids) {
    const std::lock_guard lock(mutex_);
    for (const auto& id : ids) {
        const auto row = rows_.find(hash_of(id));
        if (row == rows_.end()) continue;
        if (!row->second.settled) unsettled_no_more(row->second);
        rows_.erase(row);
    }
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
