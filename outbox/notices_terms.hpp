#pragma once
// outbox/notices_terms.hpp - what the implementations of notices share.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/notices.hpp"
#include "outbox/store.hpp"
#include "outbox/utf8.hpp"

namespace outbox::notices_terms {

// A transaction that files an entry takes less, whatever it has to wait for.
inline constexpr std::int64_t late_ms = 5 * 60'000;
inline constexpr std::int64_t given_up_kept_ms = 30LL * 24 * 3'600'000;
// Of the entries that were there before the first look, so many are compared with what appears late.
inline constexpr std::size_t noted_at_first = 1'000;
inline constexpr std::size_t cleared_at_once = 1'000;

inline std::string fitting_error(const std::string& error) {
    return fitting_text(error, {.characters = 255, .nul = false});
}

/// The entry itself, if it is still there, with what the outbox knows of its message.
inline std::optional<notice> notice_of(store& from, std::int64_t entry, std::int64_t tries) {
    ledger& all = from;
    auto found = all.entries(entry + 1, 1);
    if (found.empty() || found.front().id != entry) return std::nullopt;
    notice one{std::move(found.front()), tries, std::nullopt};
    if (one.what.failed_on == ledger_entry::side::producer) {
        const auto message = from.show(one.what.message_id, 0);
        if (message && message->what.status == static_cast<int>(status::failed))
            one.try_count = message->what.try_count;
    }
    return one;
}

/// "(…, entry, …), (…)": rows for entries that were just found.
inline std::string rows(const std::vector<std::int64_t>& entries, std::string_view table_name, int state,
                        const std::string& next_try_time, const std::string& seen_time) {
    std::string values;
    for (const auto entry : entries) {
        values += values.empty() ? "(" : ", (";
        values += "'" + std::string(table_name) + "', " + std::to_string(entry) + ", " + std::to_string(state) +
                  ", 0, " + next_try_time + ", " + seen_time + ")";
    }
    return values;
}

inline constexpr std::string_view columns = "table_name, entry, state, tries, next_try_time, seen_time";

}  // namespace outbox::notices_terms
