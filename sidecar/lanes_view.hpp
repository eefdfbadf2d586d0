#pragma once
// sidecar/lanes_view.hpp - who relays which lane, as JSON.

#include <nlohmann/json.hpp>

#include "outbox/leases.hpp"

namespace sidecar {

bool is_held(const outbox::lease& one, outbox::epoch_ms now);

/// [{"lane", "lanes", "owner", "epoch", "expires_in_ms", "wanted_by"}]
nlohmann::ordered_json lanes_json(const outbox::lease_table& table);

}  // namespace sidecar
