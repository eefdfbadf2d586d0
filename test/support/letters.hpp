#pragma once
// test/support/letters.hpp - messages that die, for tests of dead-letter queues.

#include <string>

#include "test/support/broker.hpp"

namespace support {

/// An exchange with a queue whose messages die at once, and the dead-letter queue that they come to; deleted at the
/// end.
class graveyard {
  public:
    explicit graveyard(broker& at, const nlohmann::json& dead_queue_arguments = nlohmann::json::object());
    ~graveyard();
    graveyard(const graveyard&) = delete;
    graveyard& operator=(const graveyard&) = delete;

    const std::string& exchange() const { return exchange_; }
    const std::string& queue() const { return queue_; }
    const std::string& dead() const { return dead_; }

    /// From now on, messages stay in the queue.
    void heal();

  private:
    broker& broker_;
    std::string exchange_;
    std::string queue_;
    std::string dead_;
};

/// Publishes one message whose header `pad` makes all its properties this long in AMQP's encoding, which no JSON of a
/// row may.
void publish_padded(const std::string& exchange, const std::string& routing_key, const std::string& id,
                    std::size_t properties_size);

}  // namespace support
