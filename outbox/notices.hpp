#pragma once
// outbox/notices.hpp - which entries of the ledger are still to be told to somebody: the table sys_mq_notice, beside
// the ledger. It survives restarts and is all sidecars' at a table; one of them tells at a time.
//
// Entries get their ids before they are committed, so that one with a lower id may appear after one with a higher. All
// entries above a mark are therefore compared with what is noted; the mark is the highest that was found more than
// five minutes ago.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "outbox/ledger.hpp"

namespace outbox {

/// An entry that is to be told.
struct notice {
    ledger_entry what;
    std::int64_t tries = 0;                 // to tell it, that failed
    std::optional<std::int64_t> try_count;  // of the message, if it is still there and has failed
};

/// What became of it.
struct notice_outcome {
    enum class kind { again = 0, told = 1, given_up = 2, untold = 3 };

    std::int64_t entry = 0;
    kind what = kind::told;
    std::chrono::milliseconds delay{0};  // `again`: from the database's now
    bool spent = true;                   // `again`: a try
    std::string error;                   // `again`, `given_up`
};

/// Throws as outbox/store.hpp says. What changes something can be repeated.
class notices {
  public:
    virtual ~notices() = default;

    /// False: there is no ledger, or no table sys_mq_notice.
    virtual bool has_notices() = 0;

    /// Notes new entries of the ledger, at most `limit`, as to be told. Returns how many. The first time ever, what is
    /// there already is noted as not to be told. A ledger that was emptied begins anew.
    virtual std::size_t note_entries(std::size_t limit) = 0;

    /// How many are to be told, due or not; stops counting at `at_most`.
    virtual std::uint64_t count_notices(std::uint64_t at_most) = 0;

    /// Those that are due, in the order of (next_try_time, entry). Entries that were deleted are left out, and noted as
    /// not to be told.
    virtual std::vector<notice> due_notices(std::size_t limit) = 0;

    /// The first bytes of an entry's payload; nullopt: no such entry.
    virtual std::optional<std::string> payload_start(std::int64_t entry, std::size_t bytes) = 0;

    /// Records outcomes of entries that are to be told, in one transaction.
    virtual void record_notices(std::span<const notice_outcome> outcomes) = 0;

    /// Clears away what is noted of entries below the mark, unless they are still to be told or were given up within
    /// the last thirty days. In steps of a thousand; returns how many.
    virtual std::size_t forget_notices() = 0;
};

}  // namespace outbox
