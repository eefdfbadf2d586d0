#pragma once
// sidecar/entry_change.hpp - sending again what is in the ledger of failures, and deleting it from there, whoever asks
// for it.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "outbox/store.hpp"
#include "sidecar/send_again.hpp"

namespace sidecar {

/// What became of sending the message of one entry again.
struct entry_outcome {
    std::int64_t entry = 0;
    std::string name;  // "done", "not_failed", "gone", "no_entry", "not_done", "already", "busy", "not_recorded"
    std::string text;  // the same for people
    std::string why;   // what the broker or the database said; may be empty

    bool done() const { return name == "done"; }
    /// Nothing stood in the way but the state of things: the message is not failed, gone, or was sent again before.
    bool needless() const { return name == "not_failed" || name == "gone" || name == "no_entry" || name == "already"; }
};

/// One thread.
class entry_retrier {
  public:
    /// `repeat`: also what failed on the consumer's side and was sent again before. `go_on` as sender_again has it.
    entry_retrier(
        outbox::store& store, const conf::settings& settings, bool repeat,
        std::function<bool()> go_on = [] { return true; })
        : store_(store), repeat_(repeat), sender_(settings, std::move(go_on)) {}

    /// Puts the message of a producer's failure back to be delivered; sends that of a consumer's itself. Throws what
    /// the store throws, unless the message has been sent by then.
    entry_outcome retry(std::int64_t entry);

    bool repeats() const { return repeat_; }
    /// Why no broker could be reached, which is needed for consumers' failures; empty: it could, or was not needed yet.
    const std::string& broker_away() const { return sender_.away(); }

  private:
    entry_outcome resend(std::int64_t entry);

    outbox::store& store_;
    const bool repeat_;
    sender_again sender_;
};

struct entries_report {
    std::uint64_t changed = 0;
    std::map<std::string, std::uint64_t> unchanged;  // by outcome
    std::vector<entry_outcome> left;                 // the first of those that something stood in the way of
    bool complete = true;                            // false: it was stopped before its end
    std::string trouble;                             // why, when not asked to
};

/// All that match, from the latest downwards; what a retry by hand has done before only if the retrier repeats. Stops
/// when a consumer's failure is met and there is no broker. `go_on` is asked before each, and `progress` told what has
/// changed. Throws what the store throws; `into` then says what had been done.
void retry_matching(outbox::store& store, const outbox::ledger_filter& filter, entry_retrier& with,
                    const std::function<bool()>& go_on, const std::function<void(std::uint64_t)>& progress,
                    entries_report& into);

/// How many entries that would retry, as far as can be known before; stops counting at `at_most`.
std::uint64_t count_to_retry(outbox::store& store, const outbox::ledger_filter& filter, bool repeat,
                             std::uint64_t at_most);

/// Deletes all that match, in batches. `go_on` is asked before each of them.
void delete_matching(outbox::store& store, const outbox::ledger_filter& filter, const std::function<bool()>& go_on,
                     const std::function<void(std::uint64_t)>& progress, entries_report& into);

}  // namespace sidecar
