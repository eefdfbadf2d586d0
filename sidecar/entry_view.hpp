#pragma once
// sidecar/entry_view.hpp - entries of the ledger of failures, and groups of what failed, as they are shown.

#include <nlohmann/json.hpp>
#include <string_view>

#include "outbox/inspection.hpp"
#include "outbox/ledger.hpp"

namespace sidecar {

/// "producer", "consumer".
std::string_view name_of(outbox::ledger_entry::side side);

nlohmann::ordered_json entry_json(const outbox::ledger_entry& one);

/// {"groups": [{"side", "exchange", "reason", "entries", "oldest", "latest"}], "looked_at", "complete"}
nlohmann::ordered_json groups_json(const outbox::failure_groups& found);
/// {"groups": [{"exchange", "error", "rows", "oldest_update_time", "latest_update_time"}], "looked_at", "complete"}
nlohmann::ordered_json groups_json(const outbox::message_groups& found);

/// How many rows or entries are looked at for groups.
inline constexpr std::uint64_t most_looked_at_for_groups = 100'000;

}  // namespace sidecar
