#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "outbox/soci_store.hpp"

namespace outbox {
namespace {

// Of rows without a time, so many are asked for their create_time, which stands in no index.
constexpr int rows_looked_at = 100;

constexpr auto too_slow = "counting takes too long; see `outbox-sidecar doctor` about indexes";

std::uint64_t count_in(const sql_row& row) { return static_cast<std::uint64_t>(row.number(1).value_or(0)); }

}  // namespace

census soci_store::count_up_to(std::uint64_t most, std::chrono::milliseconds at_most,
                               std::optional<std::chrono::milliseconds> overdue) {
    require_table();
    census result;
    const auto until = std::chrono::steady_clock::now() + at_most;
    const auto ask = [&](const std::string& sql, unsigned columns, const std::function<void(const sql_row&)>& each) {
        if (std::chrono::steady_clock::now() >= until) throw store_busy(too_slow);
        session_.query(sql, columns, {}, each);
    };
    for (const auto one : {status::delivering, status::delivered, status::failed, status::consumed})
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} {} WHERE status = {} LIMIT {}) AS counted", table_,
                        by_age_, static_cast<int>(one), most),
            1, [&](const sql_row& row) { result.rows[one] = count_in(row); });

    // Two plain ranges of the index, as for reading due rows.
    const auto earlier = [&](std::optional<epoch_ms> time) {
        if (time && (!result.oldest_due || *time < *result.oldest_due)) result.oldest_due = time;
    };
    ask(fmt::format("SELECT COUNT(*), MIN(NULLIF(due_time, 0)), {0} FROM (SELECT next_try_time AS due_time FROM {1} "
                    "{2} WHERE status = 0 AND next_try_time <= {0} ORDER BY next_try_time LIMIT {3}) AS counted",
                    now_, table_, by_due_, most),
        3, [&](const sql_row& row) {
            result.due = count_in(row);
            earlier(row.number(2));
            result.now = row.number(3).value_or(0);
        });
    if (column("next_try_time").nullable)
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} {} WHERE status = 0 AND next_try_time IS "
                        "NULL LIMIT {}) AS counted",
                        table_, by_due_, most),
            1, [&](const sql_row& row) { result.due = std::min(most, result.due + count_in(row)); });
    for (const char* timeless : {"next_try_time IS NULL", "next_try_time = 0"})
        ask(fmt::format("SELECT MIN(NULLIF(create_time, 0)) FROM (SELECT create_time FROM {} {} WHERE "
                        "status = 0 AND {} LIMIT {}) AS counted",
                        table_, by_due_, timeless, rows_looked_at),
            1, [&](const sql_row& row) { earlier(row.number(1)); });

    if (overdue)
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} {} WHERE status = 1 AND update_time < {} - {} LIMIT "
                        "{}) AS counted",
                        table_, by_age_, now_, overdue->count(), most),
            1, [&](const sql_row& row) { result.receipts_overdue = count_in(row); });
    if (has_ledger())
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} LIMIT {}) AS counted", ledger_, most), 1,
            [&](const sql_row& row) { result.ledger_entries = count_in(row); });
    if (options_.ordered && std::chrono::steady_clock::now() < until) result.blocked_keys = count_blocked_keys().count;
    return result;
}

}  // namespace outbox
