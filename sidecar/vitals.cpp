#include "sidecar/vitals.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conf/units.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::array<const char*, 4> names = {"reader", "pump", "settler", "keeper"};

std::size_t number(relay::loop which) { return static_cast<std::size_t>(which); }

}  // namespace

vitals::vitals(const conf::settings& settings, const relay::clock& clock) : clock_(clock) { starting(settings); }

void vitals::starting(const conf::settings& settings) {
    for (auto& at : turned_at_) at = relay::time_point{};
    const std::lock_guard lock(mutex_);
    limit(settings);
    started_at_ = clock_.now();
    stopping_ = false;
    broker_ = "not connected yet";
    blocked_ = std::nullopt;
    database_ = {{"lanes", "not connected yet"}, {"reader", "not connected yet"}};
    lanes_.clear();
}

// A step is a few calls, each of which ends by its timeout; a minute is for a machine that is short of breath.
void vitals::limit(const conf::settings& s) {
    const auto database = 1min + 5 * std::max(s.database.query_timeout, s.database.connect_timeout);
    const auto broker = 1min + 5 * std::max(s.broker.confirm_timeout, s.broker.connect_timeout);
    limits_[number(relay::loop::reader)] = limits_[number(relay::loop::settler)] = database;
    limits_[number(relay::loop::keeper)] = database;
    limits_[number(relay::loop::pump)] = broker;
}

void vitals::stopping() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
}

void vitals::paused(bool is) {
    const std::lock_guard lock(mutex_);
    paused_ = is;
}

verdict vitals::live() const {
    verdict result;
    const std::lock_guard lock(mutex_);
    if (stopping_) return result;  // the loops end one by one; the process sees to it that they do
    const auto now = clock_.now();
    for (std::size_t i = 0; i < loops; ++i) {
        const auto silent = now - std::max(turned_at_[i].load(), started_at_);
        if (silent <= limits_[i]) continue;
        result.good = false;
        result.reasons.push_back(fmt::format("the {} has stood still for {} s; {} is the limit", names[i],
                                             std::chrono::duration_cast<std::chrono::seconds>(silent).count(),
                                             conf::print_duration(limits_[i])));
    }
    return result;
}

verdict vitals::ready() const {
    verdict result;
    const auto blame = [&](const std::string& what, const trouble& why) {
        if (!why) return;
        result.good = false;
        result.reasons.push_back(what + ": " + *why);
    };
    const std::lock_guard lock(mutex_);
    if (stopping_) blame("sidecar", "it is stopping");
    blame("broker", broker_);
    blame("broker", blocked_);
    for (const auto& [role, why] : database_) {
        // Without lanes, and in a pause, nobody reads, and what was last heard is old.
        if (role != "reader" || (!lanes_.empty() && !paused_)) blame("database, " + role, why);
    }
    return result;
}

verdict vitals::started() const {
    verdict result;
    for (std::size_t i = 0; i < loops; ++i) {
        if (turned_at_[i].load() != relay::time_point{}) continue;
        result.good = false;
        result.reasons.push_back(fmt::format("the {} has not begun", names[i]));
    }
    return result;
}

void vitals::turned(relay::loop which) { turned_at_[number(which)].store(clock_.now(), std::memory_order_relaxed); }

void vitals::broker_up(std::string_view) {
    const std::lock_guard lock(mutex_);
    broker_.reset();
    blocked_.reset();
}

void vitals::broker_down(std::string_view why, milliseconds) {
    const std::lock_guard lock(mutex_);
    broker_ = std::string(why);
    blocked_ = std::nullopt;
}

void vitals::broker_blocked(std::string_view reason) {
    const std::lock_guard lock(mutex_);
    blocked_ = "it takes nothing at present: " + std::string(reason);
}

void vitals::broker_unblocked() {
    const std::lock_guard lock(mutex_);
    blocked_ = std::nullopt;
}

void vitals::database_up(std::string_view role) {
    const std::lock_guard lock(mutex_);
    if (const auto known = database_.find(role); known != database_.end()) known->second = std::nullopt;
}

// Whoever only counts, purges or listens is not needed for relaying.
void vitals::database_down(std::string_view role, std::string_view why) {
    if (role != "lanes" && role != "reader" && role != "settler") return;
    const std::lock_guard lock(mutex_);
    database_[std::string(role)] = std::string(why);
}

void vitals::lane_taken(unsigned lane, unsigned) {
    const std::lock_guard lock(mutex_);
    lanes_.insert(lane);
}

void vitals::lane_lost(unsigned lane, std::string_view) {
    const std::lock_guard lock(mutex_);
    lanes_.erase(lane);
}

void vitals::lane_released(unsigned lane, std::string_view) {
    const std::lock_guard lock(mutex_);
    lanes_.erase(lane);
}

void vitals::lanes_unprotected() {
    const std::lock_guard lock(mutex_);
    lanes_.insert(0);
}

}  // namespace sidecar
