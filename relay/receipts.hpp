#pragma once
// relay/receipts.hpp - has the receipts of consumers recorded, in batches.

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "outbox/receipts.hpp"
#include "relay/backoff.hpp"
#include "relay/observer.hpp"
#include "relay/random_source.hpp"

namespace relay {

/// Where receipts come from, and are kept until they are acknowledged. One thread.
class receipt_source {
  public:
    virtual ~receipt_source() = default;

    /// The ids of the receipts that have come, oldest first: at most `limit`, after at most `wait` when there are none.
    /// An empty one stands for a receipt that has none. Connects when need be; never throws for anything the other side
    /// does.
    virtual std::vector<std::string> take(std::size_t limit, std::chrono::milliseconds wait) = 0;

    /// Whoever keeps them may forget all that were taken. Those that it can't be told of any more come again.
    virtual void acknowledge() = 0;

    /// Keeps the connection alive for so long without taking anything.
    virtual void rest(std::chrono::milliseconds time) = 0;
};

/// One thread.
class receipt_taker {
  public:
    receipt_taker(receipt_source& from, outbox::receipts& table, random_source draw, observer& watch);

    /// Takes what has come, has it recorded, and acknowledges it then, and only then. Waits a moment when nothing
    /// comes; and longer each time when the database does not do it, to try the same again.
    void run_once();

  private:
    bool record();

    receipt_source& from_;
    outbox::receipts& table_;
    const random_source draw_;
    observer& watch_;

    std::vector<std::string> batch_;  // taken and not acknowledged
    backoff backoff_;
    bool connected_ = false;
    std::string what_failed_;  // reported already
};

}  // namespace relay
