#pragma once
// sidecar/send_again.hpp - one message straight to the broker, for an operator who waits for it.

#include <optional>
#include <string>

#include "conf/settings.hpp"
#include "outbox/ledger.hpp"

namespace sidecar {

/// Publishes what was filed to where it came from, without the headers that tell of its deaths, and waits for the
/// broker's word. Nullopt: confirmed and routed. Otherwise why not, or that it is not known. Blocks for some seconds.
std::optional<std::string> send_again(const outbox::consumer_failure& one, const conf::settings& settings);

}  // namespace sidecar
