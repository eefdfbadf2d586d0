#pragma once
// sidecar/api/job_routes.hpp - what routes that begin jobs answer.

#include <optional>

#include "sidecar/api/exchange.hpp"
#include "sidecar/api/jobs.hpp"

namespace sidecar::api {

/// How far anything is counted.
inline constexpr std::uint64_t most_counted = 100'000;

/// For a dry run: of a count that stopped at most_counted + 1.
answer counted_answer(std::uint64_t count);

/// 202 with the job; throws a problem, 429, where too many wait.
answer job_answer(const std::optional<job>& begun);

}  // namespace sidecar::api
