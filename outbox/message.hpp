#pragma once
// outbox/message.hpp - one row of msg_log, as the relay sees it.

#include <cstdint>
#include <optional>
#include <string>

namespace outbox {

/// Milliseconds since 1970-01-01T00:00:00Z by the database's clock.
using epoch_ms = std::int64_t;

/// The values of msg_log.status. Others are nobody's: such rows are left alone and counted.
enum class status : int { delivering = 0, delivered = 1, failed = 2, consumed = 3 };

struct message {
    std::string id;           // UTF-8, compared byte by byte here; never changed on its way
    std::string body;         // bytes as stored (text columns: as UTF-8)
    std::string exchange;     // UTF-8
    std::string routing_key;  // UTF-8
    std::int64_t try_count = 0;
    std::optional<epoch_ms> next_try_time;
    std::optional<epoch_ms> create_time;
    std::optional<epoch_ms> update_time;
    std::optional<std::string> headers;     // JSON text; nullopt: NULL or no such column
    std::optional<std::string> properties;  // JSON text; likewise
    std::optional<std::string> order_key;
    unsigned lane = 0;            // of the lane_set it was read with
    std::int64_t lane_epoch = 0;  // of that lane's lease; the store leaves it at 0

    std::uint64_t body_size = 0;  // bytes; also when the body was left out
    bool body_left_out = false;   // too large for a page: fetch it with due_rows::load_body
};

}  // namespace outbox
