#pragma once
// outbox/census.hpp - what the table holds, counted only so far that it stays cheap, however much that is.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "outbox/message.hpp"

namespace outbox {

/// Each count stops at the limit that was given, and then reads "at least".
struct census {
    std::map<status, std::uint64_t> rows;  // each of the four
    std::uint64_t due = 0;                 // of status 0, those whose time has come
    std::optional<epoch_ms> oldest_due;    // since when the oldest of these is: next_try_time, or create_time
    epoch_ms now = 0;                      // the database's clock
    std::uint64_t ledger_entries = 0;      // 0 also where there is no ledger
    std::uint64_t blocked_keys = 0;        // keys of which a message is due but has to wait; 0 also without order
    std::uint64_t receipts_overdue = 0;    // of status 1, those unchanged for longer than was asked

    // Of the server, not of the table: what keeps InnoDB from clearing away what is deleted.
    std::optional<std::uint64_t> history_length;             // nullopt: not InnoDB, or no right to see it
    std::optional<std::chrono::seconds> oldest_transaction;  // age; likewise. 0 when there is none
};

class counting {
  public:
    virtual ~counting() = default;

    /// Looks at no more than `most` entries of an index for each count, as far as there is an index. Takes no lock.
    /// `overdue`: after so long a delivered row's receipt is; nullopt: none is.
    /// Throws as outbox/store.hpp says; and store_busy instead of beginning another statement after `at_most`.
    virtual census count_up_to(std::uint64_t most, std::chrono::milliseconds at_most = std::chrono::minutes(1),
                               std::optional<std::chrono::milliseconds> overdue = std::nullopt) = 0;
};

}  // namespace outbox
