#pragma once
// relay/outcome.hpp - what became of one attempt to publish a row. Closed on purpose: a new case must fail to compile
// wherever outcomes are judged.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "relay/clock.hpp"

namespace relay {

/// basic.ack, and no basic.return before it.
struct confirmed {};

/// The broker had it, but no queue wanted it (basic.return, then its ack).
struct returned {
    int code = 0;  // 312 NO_ROUTE …
    std::string text;
};

/// basic.nack.
struct refused {};

/// The broker closed the channel over it: no such exchange, no right to write to it (404, 403).
struct no_exchange {
    int code = 0;
    std::string text;
};

/// It can never be sent as it is.
struct impossible {
    std::string reason;
};

/// In flight when the connection or its channel went, or never sent: nobody is to blame, so it spends no try.
struct unknown {
    bool maybe_sent = true;  // the broker may have it: sending it again may make a duplicate
};

/// No queue wants those of its exchange and routing key at present (relay/parking.hpp): it was returned, or not sent.
struct parked {
    std::int64_t until = 0;  // epoch ms by the database's clock
    std::string reason;
};

using outcome = std::variant<confirmed, returned, refused, no_exchange, impossible, unknown, parked>;

/// The part of a row that is kept while its confirm is awaited.
struct delivery {
    std::string id;
    std::string exchange;
    std::string routing_key;
    std::int64_t try_count = 0;
    std::uint64_t body_size = 0;
    std::optional<std::int64_t> due_since = std::nullopt;  // epoch ms by the database's clock; see due_since_of()
    std::string traceparent = {};                          // its header of that name, if somebody follows traces
};

struct attempt {
    delivery row;
    outcome result;
    std::optional<time_point> sent_at = std::nullopt;  // nullopt: it was not, or there is no broker
};

}  // namespace relay
