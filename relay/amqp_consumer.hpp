#pragma once
// relay/amqp_consumer.hpp - what a queue hands out, over an AMQP connection that serves nothing else meanwhile.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "relay/amqp_connection.hpp"

namespace relay::amqp {

/// A message that was handed out and waits for its acknowledgement.
struct handed_out {
    std::uint64_t tag = 0;   // of this consumer's channel, rising
    std::string body;        // its first bytes, as many as were asked for
    std::uint64_t size = 0;  // of the whole body
    std::string message_id;  // empty: it has none
};

/// One thread. Functions that throw connection_lost leave this object and its connection of no more use; everything
/// that was not acknowledged is handed out again.
class consumer {
  public:
    /// Begins to consume. At most `prefetch` messages (0: any number) are handed out and not acknowledged at once; of
    /// each, the first `body_bytes` bytes of the body are kept. Throws connection_lost, also when the queue is not
    /// there or may not be read.
    consumer(connection& on, const std::string& queue, std::uint16_t prefetch, std::size_t body_bytes);
    ~consumer();

    /// The next message; waits for it at most so long. Has to be called every half heartbeat at least, and instead of
    /// the connection's own next(). Throws connection_lost, also when the queue was deleted.
    std::optional<handed_out> next(std::chrono::milliseconds wait);

    /// Acknowledges this message and all that were handed out before it. Blocks while the broker takes nothing, but see
    /// connection::limit_stall(). Throws connection_lost.
    void acknowledge_up_to(std::uint64_t tag);

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace relay::amqp
