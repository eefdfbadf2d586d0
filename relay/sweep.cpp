#include "relay/sweep.hpp"

#include <algorithm>

namespace relay {
namespace {

using namespace std::chrono_literals;

// How long before the last full sweep a row's time may lie for a short sweep to see it: the age that ordinary
// transactions have when they commit.
constexpr std::chrono::milliseconds overlap = 2s;

// Full sweeps may take this share of the time, 1/n; the larger one while they find what others don't.
constexpr int usual_share = 100;
constexpr int early_share = 10;
constexpr auto usual_pause = 1s;
constexpr auto longest_pause = 30s;
constexpr auto early_lasts = 60s;

}  // namespace

std::optional<outbox::position> sweep::next(time_point now) {
    if (restart_) {
        restart_ = false;
        next_page_.reset();
        interval_ = pace_.poll_min;
        next_at_ = next_full_ = now;
    }
    if (next_page_) return next_page_;
    if (now < next_at_) return std::nullopt;

    full_ = now >= next_full_ || !floor_;
    found_ = found_early_ = false;
    cost_ = {};
    started_.reset();
    next_page_ = full_ ? outbox::position{} : outbox::position{*floor_, std::nullopt};
    return next_page_;
}

bool sweep::beyond_short(const outbox::page& page) const {
    const auto first = page.rows.front().next_try_time;
    return full_ && (!first || (floor_ && *first < *floor_));
}

void sweep::page_read(const outbox::page& page, std::size_t taken, time_point now, std::chrono::microseconds cost) {
    cost_ += cost;
    if (page.now) started_ = page.now;
    if (taken > 0) {
        found_ = true;
        found_early_ = found_early_ || beyond_short(page);
    }
    if (!page.complete)
        next_page_ = page.next;
    else
        finish(now);
}

void sweep::finish(time_point now) {
    next_page_.reset();
    // Slowly: what comes next then waits at most about a quarter of the time since the row before it.
    interval_ = found_ ? pace_.poll_min : std::min<std::chrono::microseconds>(interval_ * 5 / 4, pace_.poll_max);
    next_at_ = now + interval_;
    if (!full_) return;

    if (started_) floor_ = *started_ - overlap.count();
    if (found_early_) early_until_ = now + early_lasts;
    const bool early = now < early_until_;
    const std::chrono::microseconds by_cost = cost_ * (early ? early_share : usual_share);
    const std::chrono::microseconds least = early ? std::chrono::microseconds(0) : usual_pause;
    next_full_ = now + std::clamp<std::chrono::microseconds>(by_cost, least, longest_pause);
}

void sweep::hurry(time_point now) {
    interval_ = pace_.poll_min;
    next_at_ = std::min(next_at_, now);
}

void sweep::restart() { restart_ = true; }

}  // namespace relay
