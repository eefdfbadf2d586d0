#pragma once
// sidecar/watch.hpp - `status --watch`: what goes on at the table, again and again.

#include <chrono>

#include "sidecar/commands.hpp"

namespace sidecar {

/// On a terminal one screen that is drawn anew; elsewhere a line for each look, or with --json an object. Until SIGINT
/// or SIGTERM. A database that is away is said and looked at again. Returns the exit code.
int watch(std::chrono::milliseconds interval, const context& at);

}  // namespace sidecar
