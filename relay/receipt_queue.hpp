#pragma once
// relay/receipt_queue.hpp - receipts from a queue of RabbitMQ, over a connection of their own.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "relay/observer.hpp"
#include "relay/random_source.hpp"
#include "relay/receipts.hpp"

namespace relay {

/// A receipt's id is its body, or, when that is empty, its message_id. A queue that is not there is declared: as the
/// topology says, or else as a durable classic one, which hands out again without end what nobody acknowledges.
class receipt_queue final : public receipt_source {
  public:
    /// Does not connect. Throws std::invalid_argument for an url it can't use.
    receipt_queue(const std::string& queue, const conf::broker& settings, const conf::topology& topology,
                  random_source draw, observer& watch);
    ~receipt_queue() override;

    std::vector<std::string> take(std::size_t limit, std::chrono::milliseconds wait) override;
    void acknowledge() override;
    void rest(std::chrono::milliseconds time) override;

    /// Whether the queue was all but empty when it was last looked into, over a connection that holds. Any thread.
    bool caught_up() const;

    /// Says goodbye; what was not acknowledged is handed out again.
    void close();

    /// Ends all waiting, at once or in a moment, from now on. Any thread.
    void leave();

    /// Likewise, and cuts the connection under a call that the broker holds up. Any thread.
    void abort();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace relay
