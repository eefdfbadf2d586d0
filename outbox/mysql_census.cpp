#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "outbox/mysql.hpp"

namespace outbox {
namespace {

// Of rows without a time, so many are asked for their create_time, which stands in no index.
constexpr int rows_looked_at = 100;

constexpr auto too_slow = "counting takes too long; see `outbox-sidecar doctor` about indexes";

std::uint64_t count_in(const mysql_row& row) { return static_cast<std::uint64_t>(row.number(1).value_or(0)); }

}  // namespace

census mysql_store::count_up_to(std::uint64_t most, std::chrono::milliseconds at_most,
                                std::optional<std::chrono::milliseconds> overdue) {
    require_table();
    census result;
    const auto until = std::chrono::steady_clock::now() + at_most;
    const auto ask = [&](const std::string& sql, const std::function<void(const mysql_row&)>& each) {
        if (std::chrono::steady_clock::now() >= until) throw store_busy(too_slow);
        session_.query(sql, {}, each);
    };
    for (const auto one : {status::delivering, status::delivered, status::failed, status::consumed})
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} {} WHERE status = {} LIMIT {}) AS some", table_,
                        purge_index_, static_cast<int>(one), most),
            [&](const mysql_row& row) { result.rows[one] = count_in(row); });

    // Two plain ranges of the index, as for reading due rows.
    const auto earlier = [&](std::optional<epoch_ms> time) {
        if (time && (!result.oldest_due || *time < *result.oldest_due)) result.oldest_due = time;
    };
    ask(fmt::format("SELECT COUNT(*), MIN(NULLIF(time, 0)), {0} FROM (SELECT next_try_time AS time FROM {1} {2} WHERE "
                    "status = 0 AND next_try_time <= {0} ORDER BY next_try_time LIMIT {3}) AS some",
                    mysql_now, table_, due_index_, most),
        [&](const mysql_row& row) {
            result.due = count_in(row);
            earlier(row.number(2));
            result.now = row.number(3).value_or(0);
        });
    if (schema_.columns["next_try_time"].nullable)
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} {} WHERE status = 0 AND next_try_time IS "
                        "NULL LIMIT {}) AS some",
                        table_, due_index_, most),
            [&](const mysql_row& row) { result.due = std::min(most, result.due + count_in(row)); });
    for (const char* timeless : {"next_try_time IS NULL", "next_try_time = 0"})
        ask(fmt::format("SELECT MIN(NULLIF(create_time, 0)) FROM (SELECT create_time FROM {} {} WHERE "
                        "status = 0 AND {} LIMIT {}) AS some",
                        table_, due_index_, timeless, rows_looked_at),
            [&](const mysql_row& row) { earlier(row.number(1)); });

    if (overdue)
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} {} WHERE status = 1 AND update_time < {} - {} LIMIT "
                        "{}) AS some",
                        table_, purge_index_, mysql_now, overdue->count(), most),
            [&](const mysql_row& row) { result.receipts_overdue = count_in(row); });
    if (has_ledger())
        ask(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} LIMIT {}) AS some", ledger_, most),
            [&](const mysql_row& row) { result.ledger_entries = count_in(row); });
    if (options_.ordered && std::chrono::steady_clock::now() < until) result.blocked_keys = count_blocked_keys().count;
    look_at_server(result);
    return result;
}

// Both need the right PROCESS. An account without it is not asked again on the same connection.
void mysql_store::look_at_server(census& into) {
    if (!may_look_at_server_) return;
    try {
        session_.query_text("SELECT `COUNT` FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'",
                            [&](const mysql_row& row) { into.history_length = count_in(row); });
        session_.query_text("SELECT TIMESTAMPDIFF(SECOND, MIN(trx_started), NOW()) FROM information_schema.INNODB_TRX",
                            [&](const mysql_row& row) {
                                into.oldest_transaction =
                                    std::chrono::seconds(std::max<std::int64_t>(0, row.number(1).value_or(0)));
                            });
    } catch (const store_error&) {
        may_look_at_server_ = false;
    }
}

}  // namespace outbox
