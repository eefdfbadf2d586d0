#include "sidecar/entry_change.hpp"

#include <algorithm>
#include <optional>

namespace sidecar {
namespace {

using outbox::ledger_resend;
using outbox::ledger_retry;

constexpr std::size_t batch = 500;
constexpr std::size_t most_named = 20;

entry_outcome outcome_of(std::int64_t entry, ledger_retry what) {
    switch (what) {
        case ledger_retry::done: return {entry, "done", "put back to be delivered", {}};
        case ledger_retry::not_failed: return {entry, "not_failed", "its message is not failed (any more)", {}};
        case ledger_retry::gone: return {entry, "gone", "its message is no longer in the outbox", {}};
        case ledger_retry::consumers:
        case ledger_retry::no_entry: break;
    }
    return {entry, "no_entry", "there is no such entry", {}};
}

// Calls `each` with the pages of what matches, until it returns false.
void in_pages(outbox::store& store, const outbox::ledger_filter& filter,
              const std::function<bool(const std::vector<outbox::ledger_entry>&)>& each) {
    std::optional<std::int64_t> before;
    for (;;) {
        const auto page = store.entries(filter, before, batch, false);
        if (page.empty() || !each(page) || page.size() < batch) return;
        before = page.back().id;
    }
}

}  // namespace

entry_outcome entry_retrier::retry(std::int64_t entry) {
    try {
        const auto outcome = store_.retry_entry(entry);
        return outcome == ledger_retry::consumers ? resend(entry) : outcome_of(entry, outcome);
    } catch (const outbox::store_busy& error) {
        return {entry, "busy", "somebody else is retrying it just now", error.what()};
    }
}

// For which the entry is locked.
entry_outcome entry_retrier::resend(std::int64_t entry) {
    const entry_outcome not_done{entry, "not_done", "not done", sender_.away()};
    if (!sender_.away().empty()) return not_done;
    bool sent = false;
    std::string why;
    try {
        const auto outcome = store_.resend_entry(entry, repeat_, [&](const outbox::consumer_failure& one) {
            why = sender_.send(one).value_or("");
            return sent = why.empty();
        });
        switch (outcome) {
            case ledger_resend::done: return {entry, "done", "sent again: confirmed and routed", {}};
            case ledger_resend::not_done: return {entry, "not_done", "not done", why};
            case ledger_resend::already: return {entry, "already", "it was sent again before", {}};
            case ledger_resend::no_entry: break;
        }
        return outcome_of(entry, ledger_retry::no_entry);
    } catch (const std::exception& error) {
        if (!sent) throw;
        return {entry, "not_recorded", "sent again, but that could not be recorded", error.what()};
    }
}

void retry_matching(outbox::store& store, const outbox::ledger_filter& filter, entry_retrier& with,
                    const std::function<bool()>& go_on, const std::function<void(std::uint64_t)>& progress,
                    entries_report& into) {
    in_pages(store, filter, [&](const std::vector<outbox::ledger_entry>& page) {
        for (const auto& one : page) {
            into.complete = go_on();
            if (!into.complete) return false;
            if (one.last_retry_succeeded && !with.repeats()) {
                ++into.unchanged["already"];
                continue;
            }
            auto outcome = with.retry(one.id);
            if (outcome.done()) {
                progress(++into.changed);
                continue;
            }
            ++into.unchanged[outcome.name];
            if (!outcome.needless() && into.left.size() < most_named) into.left.push_back(std::move(outcome));
            if (!with.broker_away().empty()) {
                into.trouble = with.broker_away();
                into.complete = false;
                return false;
            }
        }
        return true;
    });
}

std::uint64_t count_to_retry(outbox::store& store, const outbox::ledger_filter& filter, bool repeat,
                             std::uint64_t at_most) {
    if (repeat) return store.count_entries(filter, at_most);
    std::uint64_t count = 0;
    in_pages(store, filter, [&](const std::vector<outbox::ledger_entry>& page) {
        for (const auto& one : page) count += one.last_retry_succeeded ? 0 : 1;
        return count < at_most;
    });
    return std::min(count, at_most);
}

void delete_matching(outbox::store& store, const outbox::ledger_filter& filter, const std::function<bool()>& go_on,
                     const std::function<void(std::uint64_t)>& progress, entries_report& into) {
    in_pages(store, filter, [&](const std::vector<outbox::ledger_entry>& page) {
        into.complete = go_on();
        if (!into.complete) return false;
        std::vector<std::int64_t> ids;
        for (const auto& one : page) ids.push_back(one.id);
        into.changed += store.remove_entries(ids);
        progress(into.changed);
        return true;
    });
}

}  // namespace sidecar
