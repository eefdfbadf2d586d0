#pragma once
// relay/send_queue.hpp - rows on their way from the reader to the publisher, bounded in bytes (their number is bounded
// by relay/in_flight.hpp).

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "outbox/message.hpp"

namespace relay {

/// Thread-safe. Shut while the broker takes nothing: then no row waits here, growing stale; it stays in the table.
class send_queue {
  public:
    /// `filled` is called after a push, `drained` after a pop; both without a lock held.
    send_queue(std::uint64_t most_bytes, std::function<void()> filled, std::function<void()> drained)
        : most_bytes_(most_bytes), filled_(std::move(filled)), drained_(std::move(drained)) {}

    bool is_open() const;
    void open();
    /// Empties the queue and returns the ids that were in it.
    std::vector<std::string> shut();

    /// Whether a body of this size may come in now. One that is larger than the whole bound may when it is alone.
    bool has_room_for(std::uint64_t bytes) const;

    /// False, and the row is untouched: the queue is shut.
    bool push(outbox::message&& row);

    /// At most `count` rows; none when it is empty.
    std::vector<outbox::message> pop(std::size_t count);

    std::size_t size() const;

  private:
    const std::uint64_t most_bytes_;
    const std::function<void()> filled_;
    const std::function<void()> drained_;

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    bool open_ = false;
    std::uint64_t bytes_ = 0;
    std::deque<outbox::message> rows_;
};

}  // namespace relay
