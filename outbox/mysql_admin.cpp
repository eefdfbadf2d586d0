#include <fmt/format.h>

#include <array>

#include "outbox/migrations.hpp"
#include "outbox/mysql.hpp"
#include "outbox/order.hpp"

namespace outbox {
namespace {

// How long one `migrate` waits for another one.
constexpr int lock_timeout_seconds = 60;

constexpr auto bookkeeping =
    "CREATE TABLE IF NOT EXISTS `outbox_migration` (\n"
    "  `table_name` varchar(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,\n"
    "  `number` int NOT NULL,\n"
    "  `name` varchar(100) NOT NULL,\n"
    "  `applied_at` datetime NOT NULL,\n"
    "  PRIMARY KEY (`table_name`, `number`)\n"
    ") ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4";

// For each table by itself: several may live in one database, each with a sidecar of its own.
std::string record(const std::string& table, const migration& one) {
    return fmt::format("INSERT IGNORE INTO `outbox_migration` VALUES ('{}', {}, '{}', UTC_TIMESTAMP())", table,
                       one.number, one.name);
}

}  // namespace

std::vector<migration> mysql_store::migrations() const {
    auto all = mysql_migrations();
    for (auto& one : all) {
        replace_all(one.sql, "`msg_log`", table_);
        replace_all(one.sql, "`msg_lane`", lane_table_);
        replace_all(one.sql, "`sys_mq_fail`", ledger_);
        replace_all(one.sql, "`sys_mq_notice`", notice_table());
    }
    return all;
}

std::string mysql_store::migration_script() const {
    std::string script = fmt::format("{};\n", bookkeeping);
    for (const auto& one : migrations())
        script += fmt::format("\n-- {:04} {}\n{}{};\n", one.number, one.name, one.sql, record(settings_.table, one));
    return script;
}

std::vector<migration_state> mysql_store::migration_status() {
    std::vector<migration_state> states;
    for (const auto& one : mysql_migrations()) states.push_back({one.number, one.name, std::nullopt});
    bool recorded = false;
    session_.query_text("SHOW TABLES LIKE 'outbox\\_migration'", [&](const mysql_row&) { recorded = true; });
    if (!recorded) return states;
    session_.query(
        "SELECT number, DATE_FORMAT(applied_at, '%Y-%m-%dT%H:%i:%sZ') FROM outbox_migration "
        "WHERE table_name = ?",
        std::array<mysql_value, 1>{settings_.table}, [&](const mysql_row& row) {
            for (auto& state : states) {
                if (state.number == row.number(1)) state.applied_at = row.text(2);
            }
        });
    return states;
}

std::vector<int> mysql_store::migrate() {
    bool locked = false;
    session_.query_text(fmt::format("SELECT GET_LOCK('outbox_migration', {})", lock_timeout_seconds),
                        [&](const mysql_row& row) { locked = row.number(1) == 1; });
    if (!locked) throw store_busy("another `migrate` is under way");

    session_.execute_text(bookkeeping);
    std::vector<int> applied;
    const auto states = migration_status();
    const auto all = migrations();
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (states[i].applied_at) continue;
        for (const auto& statement : statements_of(all[i].sql)) session_.execute_text(statement);
        session_.execute_text(record(settings_.table, all[i]));
        applied.push_back(all[i].number);
    }
    session_.query_text("SELECT RELEASE_LOCK('outbox_migration')", [](const mysql_row&) {});
    learn_schema();
    return applied;
}

outbox::backlog mysql_store::backlog() {
    require_table();
    outbox::backlog result;
    session_.query(fmt::format("SELECT status, COUNT(*) FROM {} GROUP BY status", table_), {},
                   [&](const mysql_row& row) {
                       result.by_status[static_cast<int>(row.number(1).value_or(-1))] =
                           static_cast<std::uint64_t>(row.number(2).value_or(0));
                   });
    session_.query(
        fmt::format("SELECT COUNT(*), MIN(COALESCE(NULLIF(next_try_time, 0), create_time)), {1} FROM {0} {2} "
                    "WHERE status = 0 AND (next_try_time IS NULL OR next_try_time <= {1})",
                    table_, mysql_now, due_index_),
        {}, [&](const mysql_row& row) {
            result.due = static_cast<std::uint64_t>(row.number(1).value_or(0));
            result.oldest_due = row.number(2);
            result.now = row.number(3).value_or(0);
        });
    if (options_.ordered && !order_hindrance(schema_, table_, "mysql")) result.blocked_keys = count_blocked_keys();
    return result;
}

rows_left mysql_store::left() {
    require_table();
    rows_left result;
    bool read_only = false;
    // What may be out of date must not pass for the end.
    session_.query(fmt::format("SELECT @@global.read_only OR @@global.innodb_read_only, EXISTS (SELECT 1 FROM {} {} "
                               "WHERE status = 0 AND (try_count > 0 OR next_try_time IS NULL OR next_try_time <= {} "
                               "OR {}))",
                               table_, due_index_, mysql_now, is_parked()),
                   {}, [&](const mysql_row& row) {
                       read_only = row.number(1).value_or(0) != 0;
                       result.unfinished = row.number(2).value_or(0) != 0;
                   });
    if (read_only) {
        session_.disconnect();
        throw store_unavailable("the server is read-only: it may have become a replica");
    }
    if (!result.unfinished)
        session_.query(
            fmt::format("SELECT COUNT(*) FROM {} {} WHERE status = 0 AND next_try_time > {}", table_, due_index_,
                        mysql_now),
            {}, [&](const mysql_row& row) { result.delayed = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    return result;
}

std::vector<std::pair<std::string, std::uint64_t>> mysql_store::pending_exchanges(std::size_t limit) {
    require_table();
    std::vector<std::pair<std::string, std::uint64_t>> result;
    const std::array<mysql_value, 1> args = {static_cast<std::int64_t>(limit)};
    session_.query(fmt::format("SELECT `exchange`, COUNT(*) FROM {} {} WHERE status = 0 AND `exchange` <> '' "
                               "GROUP BY `exchange` ORDER BY 2 DESC LIMIT ?",
                               table_, due_index_),
                   args, [&](const mysql_row& row) {
                       result.emplace_back(row.text(1).value_or(""),
                                           static_cast<std::uint64_t>(row.number(2).value_or(0)));
                   });
    return result;
}

}  // namespace outbox
