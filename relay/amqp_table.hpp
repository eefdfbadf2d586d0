#pragma once
// relay/amqp_table.hpp - JSON objects as AMQP 0-9-1 field tables. For relay/amqp_*.cpp.

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif

#include <nlohmann/json.hpp>

namespace relay::amqp {

/// Object → table F, array → A, string → long string S, boolean → t, integer → signed 64 bit l, other numbers → double
/// d, null → V. Integers beyond 63 bits become doubles, as RabbitMQ reads no unsigned ones
/// (https://www.rabbitmq.com/docs/amqp-0-9-1-errata#section_3).
/// The result lives in `pool`, and its texts in `object`, which has to stay.
amqp_table_t to_table(const nlohmann::json& object, amqp_pool_t& pool);

/// The other way: numbers and timestamps (seconds) become numbers, decimals doubles, bytes strings, whatever is in
/// them. What lies deeper than 32 tables and arrays is null.
nlohmann::json to_json(const amqp_table_t& table);

inline amqp_bytes_t bytes_of(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())};  // the library only reads it
}

inline std::string_view text_of(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

}  // namespace relay::amqp
