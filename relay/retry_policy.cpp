#include "relay/retry_policy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "relay/glob.hpp"

namespace relay {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds shortest{1};

// Written so that NaN comes out as 0.
double share(double value) { return value > 0 ? std::min(value, 1.0) : 0.0; }

// Doubles because they saturate: what is beyond max_interval is cut off anyway, however far beyond.
double uncapped(const conf::retry& policy, double nth, double draw) {
    const auto initial = static_cast<double>(std::max(policy.initial, shortest).count());
    switch (policy.strategy) {
        case conf::retry_strategy::fixed: return initial;
        case conf::retry_strategy::linear: return initial * nth;
        case conf::retry_strategy::exponential: {
            const double multiplier = policy.multiplier >= 1 ? policy.multiplier : 1;
            return initial * std::pow(multiplier, nth - 1);
        }
        case conf::retry_strategy::random:
            return initial + draw * (static_cast<double>(policy.max_interval.count()) - initial);
    }
    return initial;
}

}  // namespace

std::int64_t tries_after(std::int64_t try_count) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    return std::clamp<std::int64_t>(try_count, 0, most - 1) + 1;
}

std::optional<milliseconds> next_delay(const conf::retry& policy, std::int64_t tries_spent, double draw) {
    tries_spent = std::max<std::int64_t>(tries_spent, 1);
    if (tries_spent > policy.max_retries) return std::nullopt;

    draw = share(draw);
    const auto longest = std::max(policy.max_interval, shortest);
    const auto wanted = uncapped(policy, static_cast<double>(tries_spent), draw);
    // The comparison comes first: only what is below an int64 may be cast to one.
    const auto pause = wanted < static_cast<double>(longest.count())
                           ? std::max(milliseconds{static_cast<std::int64_t>(wanted)}, shortest)
                           : longest;
    if (policy.strategy == conf::retry_strategy::random) return pause;

    const auto cut = static_cast<double>(pause.count()) * share(policy.jitter) * draw;
    if (cut >= static_cast<double>(pause.count())) return shortest;
    return std::max(pause - milliseconds{static_cast<std::int64_t>(cut)}, shortest);
}

retry_rules::retry_rules(conf::retry standard, std::vector<conf::retry_route> routes, conf::unroutable unroutable)
    : standard_(std::move(standard)), routes_(std::move(routes)), unroutable_(unroutable) {}

const conf::retry& retry_rules::policy_for(std::string_view exchange, std::string_view routing_key) const {
    const auto route = std::find_if(routes_.begin(), routes_.end(), [&](const conf::retry_route& one) {
        return matches(one.exchange, exchange) && matches(one.routing_key, routing_key);
    });
    return route == routes_.end() ? standard_ : route->retry;
}

}  // namespace relay
