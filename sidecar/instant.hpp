#pragma once
// sidecar/instant.hpp - points in time as people write them.

#include <chrono>
#include <string>
#include <string_view>
#include <variant>

#include "outbox/message.hpp"

namespace sidecar {

/// Either so long ago, or a point in time.
using moment = std::variant<std::chrono::milliseconds, outbox::epoch_ms>;

/// Reads a duration with its unit ("2h", "30d": that long ago), or a date and time as RFC 3339 has it
/// ("2026-11-21T08:30:00Z", "2026-11-21 09:30:00.5+01:00"), of which a date alone is midnight in UTC.
/// Throws std::invalid_argument, whose text says what is expected.
moment parse_moment(std::string_view text);

outbox::epoch_ms resolved(const moment& when, outbox::epoch_ms now);

/// "2026-11-21T08:30:00.000Z"; the number itself where no year of four digits says it.
std::string utc_text(outbox::epoch_ms time);

}  // namespace sidecar
