#pragma once
// test/support/waiting.hpp - waiting for a condition instead of for time to pass.

#include <chrono>
#include <functional>

namespace support {

/// Looks until it is so; false when it is not so after `at_most`, which is meant for slow machines and sanitizers.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds at_most = std::chrono::seconds(60));

/// For what must not happen: looks for as long as `period`; false at once when it is no longer so.
bool holds_for(std::chrono::milliseconds period, const std::function<bool()>& condition);

}  // namespace support
