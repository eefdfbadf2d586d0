#pragma once
// relay/verdict.hpp - what an outcome means for its row. Pure; any thread.

#include <optional>

#include "outbox/store.hpp"
#include "relay/outcome.hpp"
#include "relay/retry_policy.hpp"

namespace relay {

/// What is to be recorded; nullopt: nothing, the row stays as it is and is sent again.
///
///   confirmed                        → delivered
///   returned, refused, no_exchange   → one try spent: retry later, or failed when no retry is left
///   returned, relay.unroutable: fail → one try spent, failed at once
///   parked                           → put off, no try spent
///   impossible                       → failed at once; no try was made
///   unknown                          → nullopt
///
/// `draw` is uniform in [0, 1).
std::optional<outbox::settlement> judge(const attempt& one, const retry_rules& rules, double draw);

/// The outcome in a few words for last_error and logs, led by the code where the broker gave one: "312 NO_ROUTE".
std::string describe(const outcome& result);

}  // namespace relay
