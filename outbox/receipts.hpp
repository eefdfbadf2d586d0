#pragma once
// outbox/receipts.hpp - what consumers report: that they are done with a message.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace outbox {

struct receipts_taken {
    std::size_t changed = 0;           // rows that have become consumed
    std::vector<std::string> unknown;  // of the given ids, those that no row has
};

class receipts {
  public:
    virtual ~receipts() = default;

    /// Sets the messages with these ids to consumed (3), as far as they are being delivered (0) or delivered (1):
    /// a receipt may come before the broker's confirm is recorded. Those that have failed (2) or are consumed already
    /// stay as they are. Repeating it does no harm.
    ///
    /// The ids may be anything, and are compared as the column compares. What is empty, not UTF-8, or not for the
    /// column to hold, is unknown; of a column in another charset than UTF-8, everything beyond ASCII.
    /// Throws as outbox/store.hpp says; some of the rows may have changed then.
    virtual receipts_taken take_receipts(std::span<const std::string> ids) = 0;
};

}  // namespace outbox
