#pragma once
// relay/retry_policy.hpp - when a failed attempt is repeated, and when no more. Pure; any thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "conf/settings.hpp"

namespace relay {

/// How many attempts have failed, once one more has: `try_count` of the row (negative counts as 0) plus one, at most
/// 2147483647, so that it fits an int column.
std::int64_t tries_after(std::int64_t try_count);

/// The pause before the next attempt, after `tries_spent` (1 or more) failed ones; nullopt to give up, which is when
/// more have failed than there are retries. The pause before the n-th retry is
///
///   fixed        initial
///   linear       initial × n
///   exponential  initial × multiplier^(n-1); a multiplier below 1 counts as 1
///   random       drawn evenly between initial and max_interval; jitter adds nothing to it
///
/// and at most max_interval. Of that, the share `jitter` (0..1) is at risk: the pause is shortened, never lengthened,
/// by pause × jitter × draw. Never shorter than 1 ms. `draw` is uniform in [0, 1), from the caller's source of
/// randomness. The same input gives the same result; no input overflows, and any out of its range counts as the nearest
/// in it.
std::optional<std::chrono::milliseconds> next_delay(const conf::retry& policy, std::int64_t tries_spent, double draw);

/// Which policy is whose. Constant after construction.
class retry_rules {
  public:
    retry_rules(conf::retry standard, std::vector<conf::retry_route> routes,
                conf::unroutable unroutable = conf::unroutable::retry);

    /// The policy of the first route whose patterns both match (relay/glob.hpp), otherwise the standard one. The
    /// reference is good for as long as this object lives.
    const conf::retry& policy_for(std::string_view exchange, std::string_view routing_key) const;

    /// Of messages that no queue wants.
    conf::unroutable unroutable() const { return unroutable_; }

  private:
    conf::retry standard_;
    std::vector<conf::retry_route> routes_;
    conf::unroutable unroutable_;
};

}  // namespace relay
