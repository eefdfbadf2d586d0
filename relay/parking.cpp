#include "relay/parking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "relay/verdict.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;

}  // namespace

std::chrono::milliseconds parking::hold_of(std::chrono::milliseconds probe) {
    return std::min<std::chrono::milliseconds>(10 * probe, std::max<std::chrono::milliseconds>(5min, 2 * probe));
}

parking::parking(const relay::clock& clock, observer& watch, terms settings)
    : clock_(clock), watch_(watch), terms_(settings), hold_(hold_of(settings.probe)) {}

void parking::database_clock(outbox::epoch_ms now, time_point at) {
    const std::lock_guard lock(mutex_);
    clock_base_ = now;
    clock_at_ = at;
}

outbox::epoch_ms parking::database_now() const {
    return clock_base_ + std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - clock_at_).count();
}

outbox::epoch_ms parking::new_hold(outbox::epoch_ms now) {
    return last_hold_ = std::max(last_hold_ + 1, now + hold_.count());
}

std::optional<parked> parking::hold_back(const outbox::message& row) {
    if (empty_) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = places_.find({row.exchange, row.routing_key});
    if (found == places_.end()) return std::nullopt;
    auto& one = found->second;
    one.touched = clock_.now();
    if (!one.probing && (row.id == one.probe || one.touched >= one.next_probe)) {
        one.probe = row.id;
        one.probing = true;
        return std::nullopt;
    }
    return put_off(one, row.next_try_time.value_or(0));
}

// `at_least`: the database's clock is known to have come so far.
parked parking::put_off(place& one, outbox::epoch_ms at_least) {
    if (const auto now = std::max(at_least, database_now()); one.until <= now) {
        one.until = new_hold(now);
        one.before = std::exchange(one.rows, 0);
    }
    ++one.rows;
    return {one.until, one.reason};
}

void parking::judge(attempt& one) {
    if (std::holds_alternative<parked>(one.result)) return;
    const auto* why = std::get_if<relay::returned>(&one.result);
    if (why != nullptr) return returned(one, relay::returned(*why));
    if (empty_) return;
    if (std::holds_alternative<relay::confirmed>(one.result)) return confirmed(one);
    const std::lock_guard lock(mutex_);
    const auto found = places_.find({one.row.exchange, one.row.routing_key});
    if (found == places_.end() || found->second.probe != one.row.id) return;
    found->second.probing = false;
    // It goes its own way: whatever comes next is as good.
    if (!std::holds_alternative<unknown>(one.result)) found->second.probe.clear();
}

void parking::returned(attempt& one, const relay::returned& why) {
    const std::lock_guard lock(mutex_);
    const auto reason = describe(why);
    auto found = places_.find({one.row.exchange, one.row.routing_key});
    if (found == places_.end()) {
        if (places_.size() >= terms_.most_keys) {
            if (!std::exchange(said_full_, true))
                watch_.broker_warning(
                    fmt::format("messages of {} exchanges and routing keys are parked, as no queue "
                                "wants them; those of any more spend tries",
                                places_.size()));
            return;
        }
        found = places_.try_emplace({one.row.exchange, one.row.routing_key}).first;
        found->second.since = clock_.now();
        found->second.probe = one.row.id;
        empty_ = false;
        watch_.parked(one.row.exchange, one.row.routing_key, reason);
    }
    auto& here = found->second;
    here.touched = clock_.now();
    here.reason = reason;
    if (one.row.id != here.probe) {
        one.result = put_off(here, 0);
        return;
    }
    here.probing = false;
    here.next_probe = here.touched + terms_.probe;
    here.probe_until = database_now() + terms_.probe.count();
    one.result = parked{here.probe_until, reason};
}

// One that was sent before the key was parked, and is confirmed late, says nothing about the route there is now.
void parking::confirmed(const attempt& one) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find({one.row.exchange, one.row.routing_key});
    if (found == places_.end() || !one.sent_at || *one.sent_at <= found->second.since) return;
    release_order order{one.row.exchange, one.row.routing_key, {found->second.probe_until}};
    if (found->second.until > 0) order.times.push_back(found->second.until);
    pending_.push_back(std::move(order));
    places_.erase(found);
    empty_ = places_.empty();
}

void parking::announce() {
    const std::lock_guard lock(mutex_);
    std::move(pending_.begin(), pending_.end(), std::back_inserter(orders_));
    pending_.clear();
}

std::vector<release_order> parking::orders() {
    const std::lock_guard lock(mutex_);
    return std::exchange(orders_, {});
}

void parking::tidy() {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    if (now < tidy_at_) return;
    tidy_at_ = now + 1s;
    std::pair<std::size_t, std::uint64_t> held;
    for (auto one = places_.begin(); one != places_.end();) {
        if (now - one->second.touched > 2 * hold_) {
            watch_.unparked(one->first.first, one->first.second, std::nullopt);
            one = places_.erase(one);
            continue;
        }
        ++held.first;
        held.second += 1 + std::max(one->second.rows, one->second.before);
        ++one;
    }
    empty_ = places_.empty();
    said_full_ = said_full_ && held.first >= terms_.most_keys;
    if (std::exchange(told_, held) != held) watch_.parking(held.first, held.second);
}

}  // namespace relay
