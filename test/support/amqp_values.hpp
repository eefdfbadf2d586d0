#pragma once
// test/support/amqp_values.hpp - between rabbitmq-c's structures and JSON, for broker.cpp.

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "test/support/broker.hpp"

namespace support {

inline amqp_bytes_t bytes_of(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

inline std::string text_of(amqp_bytes_t bytes) { return {static_cast<const char*>(bytes.bytes), bytes.len}; }

/// Arguments of a declaration: a flat object of strings, whole numbers and booleans. Lives as long as the object given.
class arguments {
  public:
    explicit arguments(const nlohmann::json& object);
    amqp_table_t table() { return {static_cast<int>(entries_.size()), entries_.data()}; }

  private:
    std::list<std::string> names_;
    std::vector<amqp_table_entry_t> entries_;
};

/// Sets all of `to` but where it came from.
void read_content(const amqp_basic_properties_t& properties, amqp_bytes_t body, received& to);

}  // namespace support
