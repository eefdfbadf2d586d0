#include "relay/lane_keeper.hpp"

#include <algorithm>
#include <utility>

#include "outbox/store.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds between_looks = 1s;
constexpr milliseconds between_looks_asking = 200ms;
constexpr milliseconds between_looks_unprotected = 5s;
constexpr milliseconds between_looks_draining = 20ms;  // at what is in flight, not at the database
constexpr auto between_reports = 1min;
constexpr int kept_for_leases = 4;

template <class Holdings>
auto find(Holdings& in, unsigned lane) {
    return std::find_if(in.begin(), in.end(), [&](const auto& one) { return one.lane == lane; });
}

}  // namespace

lane_keeper::lane_keeper(outbox::leases& table, relay::in_flight& in_flight, const relay::clock& clock,
                         random_source draw, observer& watch, terms settings, std::function<void()> changed)
    : table_(table),
      in_flight_(in_flight),
      clock_(clock),
      draw_(std::move(draw)),
      watch_(watch),
      terms_(std::move(settings)),
      changed_(std::move(changed)),
      backoff_(50ms, std::clamp<milliseconds>(terms_.lease / 6, 100ms, 5s)) {
    in_flight_.admit_only({});
}

milliseconds lane_keeper::run_once() {
    check_deadline();
    if (const auto wait = until_next_step(); wait > 0ms) return wait;
    try {
        look();
    } catch (const outbox::store_busy&) {
        return backoff_.next(draw_());  // somebody else is at the leases
    } catch (const outbox::store_unavailable& error) {
        return failed(error.what());
    } catch (const outbox::store_error& error) {
        has_table_ = false;  // it may be gone
        return failed(error.what());
    }
    if (!std::exchange(connected_, true)) watch_.database_up("lanes");
    what_failed_.clear();
    backoff_.reset();
    return until_next_step();
}

void lane_keeper::look() {
    const auto now = clock_.now();
    if (!has_table_ && !find_table()) {
        next_look_ = now + between_looks_unprotected;
        return;
    }
    const bool drained = std::any_of(held_.begin(), held_.end(), [this](const auto& one) { return is_drained(one); });
    if (drained || (!held_.empty() && now >= renew_at_)) {
        change();
    } else {
        const auto seen = table_.read_leases();
        const auto plan = plan_lanes(seen, view());
        if (worth_writing(seen.leases, plan.leases) || !owns_what_it_holds(seen.leases)) {
            change();
        } else {
            asking_ = plan.asking;
            give(plan.giving);
            report_idleness(plan);
        }
    }
    const auto pause = std::min(asking_ ? between_looks_asking : between_looks, terms_.lease / 3);
    next_look_ = now + std::chrono::duration_cast<milliseconds>(pause * (0.9 + 0.2 * draw_()));
}

bool lane_keeper::find_table() {
    has_table_ = table_.has_leases();
    if (has_table_) {
        // Others may do as we did until now: all begin with nothing.
        if (!std::exchange(protected_, true)) hold({}, {});
    } else if (std::exchange(protected_, false)) {
        std::vector<holding> all;
        for (unsigned lane = 0; lane < terms_.lanes; ++lane) all.push_back({.lane = lane});
        hold(std::move(all), time_point::max());
        watch_.lanes_unprotected();
    }
    return has_table_;
}

void lane_keeper::change(bool release_all) {
    const auto asked = clock_.now();
    lane_plan plan;
    table_.change_leases([&](const outbox::lease_table& seen) {
        auto here = view();
        if (release_all) {
            here.drained.clear();
            for (const auto& one : held_) here.drained.push_back(one.lane);
        }
        plan = plan_lanes(seen, here);
        return plan.leases;
    });
    adopt(plan, asked);
    report_idleness(plan);
}

lane_view lane_keeper::view() const {
    lane_view here{.me = terms_.instance,
                   .lanes = terms_.lanes,
                   .lease = terms_.lease,
                   .leaving = leaving_,
                   .drained = {},
                   .kept = {}};
    for (const auto& one : held_) {
        if (is_drained(one)) here.drained.push_back(one.lane);
        if (clock_.now() < one.kept_until) here.kept.push_back(one.lane);
    }
    return here;
}

// Not before it was closed: what is closed can only become less.
bool lane_keeper::is_drained(const holding& one) const {
    return protected_ && (one.giving || leaving_) && !in_flight_.has(one.lane);
}

bool lane_keeper::owns_what_it_holds(const std::vector<outbox::lease>& leases) const {
    std::size_t owned = 0;
    for (const auto& one : leases) {
        if (one.owner != terms_.instance) continue;
        ++owned;
        const auto here = find(held_, one.lane);
        if (here == held_.end() || here->epoch != one.epoch) return false;
    }
    return owned == held_.size();
}

void lane_keeper::adopt(const lane_plan& plan, time_point asked) {
    std::vector<holding> holdings;
    for (const auto& one : plan.leases) {
        if (one.owner != terms_.instance) continue;
        const auto before = find(held_, one.lane);
        if (before != held_.end() && before->epoch == one.epoch)
            holdings.push_back(*before);
        else
            holdings.push_back({.lane = one.lane, .epoch = one.epoch});
    }
    const auto before = held_;
    hold(std::move(holdings), asked + terms_.lease - terms_.lease / 5);
    report(before, plan.leases);
    give(plan.giving);
    fenced_ = false;
    asking_ = plan.asking;
    renew_at_ = asked + terms_.lease / 3;
}

// Closes the lanes that are to be given away, and opens again those that nobody wants any more.
void lane_keeper::give(const std::vector<unsigned>& wanted) {
    const auto now = clock_.now();
    auto holdings = held_;
    for (auto& one : holdings) {
        const bool giving = std::find(wanted.begin(), wanted.end(), one.lane) != wanted.end();
        if (giving && !one.giving) one.giving_since = now;
        one.giving = giving;
        // A row that can't be settled must not keep its lane idle for ever.
        if (giving && now - one.giving_since > terms_.lease) {
            one.giving = false;
            one.kept_until = now + kept_for_leases * terms_.lease;
        }
    }
    hold(std::move(holdings), until_);
}

void lane_keeper::hold(std::vector<holding>&& holdings, time_point until) {
    const auto before = open();
    {
        const std::lock_guard lock(mutex_);
        held_ = std::move(holdings);
        until_ = until;
        std::vector<unsigned> admitted;
        for (const auto& one : held_) {
            if (!one.giving && !leaving_) admitted.push_back(one.lane);
        }
        in_flight_.admit_only(std::move(admitted));
    }
    if (open() != before) changed_();
}

void lane_keeper::leave() {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
    in_flight_.admit_only({});
}

void lane_keeper::release() {
    if (held_.empty() || !protected_ || !connected_) return;
    try {
        change(true);
    } catch (const std::exception& error) {
        // They run out by themselves.
        watch_.database_down("lanes", error.what());
    }
}

open_lanes lane_keeper::open() const {
    open_lanes result{{terms_.lanes, {}}, {}};
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    if (leaving_ || now >= until_) return result;
    for (const auto& one : held_) {
        if (one.giving) continue;
        result.set.held.push_back(one.lane);
        result.epochs.push_back(one.epoch);
    }
    return result;
}

bool lane_keeper::is_open(unsigned lane, std::int64_t epoch) const {
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    if (leaving_ || now >= until_) return false;
    const auto one = find(held_, lane);
    return one != held_.end() && one->epoch == epoch && !one->giving;
}

bool lane_keeper::leads() const {
    const auto now = open();
    return !now.set.held.empty() && now.set.held.front() == 0;
}

void lane_keeper::check_deadline() {
    if (held_.empty() || fenced_ || clock_.now() < until_) return;
    fenced_ = true;
    for (const auto& one : held_) watch_.lane_lost(one.lane, "its lease could not be renewed in time");
    changed_();
}

void lane_keeper::report(const std::vector<holding>& before, const std::vector<outbox::lease>& leases) {
    for (const auto& one : held_) {
        const auto was = find(before, one.lane);
        if (was == before.end() || was->epoch != one.epoch || fenced_) watch_.lane_taken(one.lane, terms_.lanes);
    }
    for (const auto& one : before) {
        if (find(held_, one.lane) != held_.end()) continue;
        const auto now = find(leases, one.lane);
        if (now != leases.end() && now->owner.empty())
            watch_.lane_released(one.lane, now->wanted_by);
        else if (!fenced_)
            watch_.lane_lost(one.lane, now == leases.end() ? "" : "taken by " + now->owner);
    }
}

void lane_keeper::report_idleness(const lane_plan& plan) {
    const auto now = clock_.now();
    if (plan.other_lanes && now >= report_waiting_at_) {
        report_waiting_at_ = now + between_reports;
        watch_.lanes_waiting(terms_.lanes, *plan.other_lanes);
    }
    const bool idle = held_.empty() && !plan.other_lanes && !leaving_;
    if (!std::exchange(standing_by_, idle) && idle) watch_.standing_by();
}

milliseconds lane_keeper::until_next_step() const {
    const auto now = clock_.now();
    const auto until = [&](time_point when) {
        return std::max(std::chrono::ceil<milliseconds>(when - now), milliseconds(0));
    };
    if (leaving_ && (held_.empty() || !protected_)) return between_looks;
    auto wait = until(next_look_);
    if (held_.empty() || !protected_) return wait;
    wait = std::min(wait, until(renew_at_));
    if (!fenced_) wait = std::min(wait, std::max(until(until_), 1ms));
    for (const auto& one : held_) {
        if (is_drained(one)) return 0ms;
        if (one.giving || leaving_) wait = std::min(wait, between_looks_draining);
    }
    return wait;
}

milliseconds lane_keeper::failed(const char* what) {
    if (std::exchange(connected_, false) || what_failed_ != what) watch_.database_down("lanes", what);
    what_failed_ = what;
    return backoff_.next(draw_());
}

}  // namespace relay
