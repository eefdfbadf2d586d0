#pragma once
// sidecar/message_view.hpp - what the commands on messages have in common.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "outbox/inspection.hpp"
#include "sidecar/command_line.hpp"

namespace sidecar {

/// The filter with its times made absolute by the database's clock, which is asked only if they need it.
outbox::message_filter filter_of(const selection& which, outbox::inspection& messages);
outbox::ledger_filter filter_of(const ledger_selection& which, outbox::inspection& messages);

/// "3d 4h", "in 2m 5s"; "-" for no time; the number itself where it can be no time.
std::string age_text(const std::optional<outbox::epoch_ms>& time, outbox::epoch_ms now);

/// "2026-11-21T08:30:00.000Z  (3d 4h ago)"; "-" for no time.
std::string time_text(const std::optional<outbox::epoch_ms>& time, outbox::epoch_ms now);

nlohmann::ordered_json summary_json(const outbox::summary& one);

/// The value, or null.
template <class Value>
nlohmann::ordered_json json_or_null(const std::optional<Value>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

/// Adds what there is of a body: as text if it is UTF-8 (a character cut off at its end is left out), else as
/// `NAME_hex`; and whether that is all of it.
void add_body(nlohmann::ordered_json& to, const std::string& name, const std::string& body, bool whole);

/// On one line; bytes that are not UTF-8 are replaced.
std::string dumped(const nlohmann::ordered_json& document);

/// How much of a body is shown unless all of it is asked for.
inline constexpr std::size_t body_bytes_shown = 4 * 1024;

}  // namespace sidecar
