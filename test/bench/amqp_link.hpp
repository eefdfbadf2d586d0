#pragma once
// test/bench/amqp_link.hpp - one connection and channel of rabbitmq-c for the bare publisher and the bare consumer.

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif

#include <string>
#include <string_view>

namespace bench {

class amqp_link {
  public:
    static constexpr amqp_channel_t channel = 1;

    /// Connects to OUTBOX_TEST_AMQP_URL. Everything throws std::runtime_error when the broker is of another mind.
    amqp_link();
    ~amqp_link();
    amqp_link(const amqp_link&) = delete;
    amqp_link& operator=(const amqp_link&) = delete;

    amqp_connection_state_t state() const { return state_; }
    void check(const char* what) const;
    std::string broker_version() const;

  private:
    amqp_connection_state_t state_;
};

amqp_bytes_t bytes_of(std::string_view text);

}  // namespace bench
