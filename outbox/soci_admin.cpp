#include <fmt/format.h>

#include <array>

#include "outbox/migrations.hpp"
#include "outbox/order.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {
namespace {

// For each table by itself: several may live in one database, each with a sidecar of its own.
std::string record(const std::string& table, const migration& one, const std::string& timestamp) {
    return fmt::format(
        "INSERT INTO outbox_migration (table_name, number, name, applied_at) VALUES ('{}', {}, '{}', {}) "
        "ON CONFLICT DO NOTHING",
        table, one.number, one.name, timestamp);
}

}  // namespace

std::string soci_store::migration_script() const {
    std::string script = fmt::format("{}{};\n", dialect_->script_head(), dialect_->bookkeeping());
    for (const auto& one : dialect_->migrations(settings_.table))
        script += fmt::format("\n-- {:04} {}\n{}{};\n", one.number, one.name, one.sql,
                              record(settings_.table, one, dialect_->timestamp()));
    return script;
}

std::vector<migration_state> soci_store::migration_status() {
    std::vector<migration_state> states;
    for (const auto& one : dialect_->migrations(settings_.table))
        states.push_back({one.number, one.name, std::nullopt});
    if (!dialect_->has_table(session_, "outbox_migration")) return states;
    session_.query(
        fmt::format("SELECT number, {} FROM outbox_migration WHERE table_name = :name", dialect_->applied_at()), 2,
        std::array<sql_value, 1>{settings_.table}, [&](const sql_row& row) {
            for (auto& state : states) {
                if (state.number == row.number(1)) state.applied_at = row.text(2);
            }
        });
    return states;
}

std::vector<int> soci_store::migrate() {
    dialect_->prepare_migration(session_);
    std::vector<int> applied;
    session_.transaction([&] {
        dialect_->lock_migrations(session_);
        session_.execute_text(dialect_->bookkeeping());
        const auto states = migration_status();
        const auto all = dialect_->migrations(settings_.table);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (states[i].applied_at) continue;
            for (const auto& statement : statements_of(all[i].sql)) session_.execute_text(statement);
            session_.execute_text(record(settings_.table, all[i], dialect_->timestamp()));
            applied.push_back(all[i].number);
        }
    });
    learn_schema();
    return applied;
}

outbox::backlog soci_store::backlog() {
    require_table();
    outbox::backlog result;
    session_.query(fmt::format("SELECT status, COUNT(*) FROM {} GROUP BY status", table_), 2, {},
                   [&](const sql_row& row) {
                       result.by_status[static_cast<int>(row.number(1).value_or(-1))] =
                           static_cast<std::uint64_t>(row.number(2).value_or(0));
                   });
    session_.query(
        fmt::format("SELECT COUNT(*), MIN(COALESCE(NULLIF(next_try_time, 0), create_time)), {1} FROM {0} {2} "
                    "WHERE status = 0 AND (next_try_time IS NULL OR next_try_time <= {1})",
                    table_, now_, by_due_),
        3, {}, [&](const sql_row& row) {
            result.due = static_cast<std::uint64_t>(row.number(1).value_or(0));
            result.oldest_due = row.number(2);
            result.now = row.number(3).value_or(0);
        });
    if (options_.ordered && !order_hindrance(schema_, table_, dialect_->schema_folder()))
        result.blocked_keys = count_blocked_keys();
    return result;
}

rows_left soci_store::left() {
    require_table();
    dialect_->require_writable(session_);  // what may be out of date must not pass for the end
    rows_left result;
    const auto pending = fmt::format("FROM {} {} WHERE status = 0 AND {}", table_, by_due_, told_apart_);
    session_.query(fmt::format("SELECT COUNT(*) FROM (SELECT 1 {} AND (try_count > 0 OR next_try_time IS NULL OR "
                               "next_try_time <= {} OR {}) LIMIT 1) AS found",
                               pending, now_, is_parked()),
                   1, {}, [&](const sql_row& row) { result.unfinished = row.number(1).value_or(0) != 0; });
    if (!result.unfinished)
        session_.query(
            fmt::format("SELECT COUNT(*) {} AND next_try_time > {}", pending, now_), 1, {},
            [&](const sql_row& row) { result.delayed = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    return result;
}

std::vector<std::pair<std::string, std::uint64_t>> soci_store::pending_exchanges(std::size_t limit) {
    require_table();
    std::vector<std::pair<std::string, std::uint64_t>> result;
    session_.query(fmt::format("SELECT exchange, COUNT(*) FROM {} {} WHERE status = 0 AND exchange <> '' "
                               "GROUP BY exchange ORDER BY 2 DESC LIMIT :most",
                               table_, by_due_),
                   2, std::array<sql_value, 1>{static_cast<std::int64_t>(limit)}, [&](const sql_row& row) {
                       result.emplace_back(row.text(1).value_or(""),
                                           static_cast<std::uint64_t>(row.number(2).value_or(0)));
                   });
    return result;
}

std::vector<finding> soci_store::examine() {
    findings report;
    try {
        examine_all(report);
    } catch (const store_unusable&) {
        throw;  // there is nothing to be examined
    } catch (const store_error& error) {
        // What has been found so far still stands.
        report.problem("examination", fmt::format("the database refused a statement: {}", error.what()),
                       "Look at the account's rights and at what the database says of it.");
    }
    return std::move(report.all);
}

void soci_store::examine_all(findings& report) {
    session_.connect();
    dialect_->examine_database(session_, report);
    learn_schema();
    if (schema_.columns.empty())
        return report.problem("table", fmt::format("there is no table {}, or this account has no right to it", table_),
                              "Run `outbox-sidecar migrate`, or apply what `outbox-sidecar migrate --print` prints.");
    report.good("table", table_);
    dialect_->examine_table(session_, settings_.table, schema_, report);
    if (!schema_.missing().empty()) return;
    if (has_leases())
        report.good("several sidecars", fmt::format("they share the outbox by {}", lane_table_));
    else
        report.advise("several sidecars", fmt::format("there is no table {}, or no right to it", lane_table_),
                      "Run only one sidecar: each would send every message. `outbox-sidecar migrate` makes the table.");
    if (has_ledger())
        report.good("failure ledger", ledger_);
    else
        report.advise("failure ledger", fmt::format("there is no table {} with the columns of a ledger", ledger_),
                      "Messages that fail for good are recorded in the outbox alone. `outbox-sidecar migrate` makes "
                      "the table.");

    const auto with_values = [](std::string sql) {
        replace_all(sql, ":most", "500");
        replace_all(sql, ":status", "1");
        replace_all(sql, ":age", "2592000000");
        return sql;
    };
    dialect_->examine_plan(
        session_, "plan for reading due rows",
        with_values(due_statement(by_due_, "status",
                                  fmt::format("next_try_time <= {} ORDER BY next_try_time, {}", now_, id_), {})),
        "for every look at the table", report);
    if (options_.ordered) {
        if (const auto why = order_hindrance(schema_, table_, dialect_->schema_folder()))
            report.problem("order by key", *why, "Until then, `run` is refused.");
        else
            dialect_->examine_plan(session_, "order by key", first_of_key("h.id", status::delivering, "''"),
                                   "for every message", report);
    }
    dialect_->examine_plan(session_, "plan for purging",
                           with_values(purge_statement("id", "update_time") + " LIMIT :most"), "for every batch",
                           report);
    dialect_->examine_plan(session_, "plan for settling",
                           fmt::format("SELECT status FROM {} {} WHERE id = ''", table_, by_id_), "for every message",
                           report);
}

}  // namespace outbox
