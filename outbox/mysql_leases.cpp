#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "outbox/deadlock.hpp"
#include "outbox/lease_rows.hpp"
#include "outbox/mysql.hpp"

namespace outbox {
namespace {

// Stands for no lane: its row is what changes of one msg_log's leases take turns at.
constexpr std::int64_t guard = -1;
constexpr int deadlock_attempts = 4;
// A holder that is frozen or cut off in the middle of a change must not keep its locks until the server misses it,
// hours later. It asks something more often than that at all other times.
constexpr int seconds_until_missed = 6;

}  // namespace

bool mysql_store::has_leases() {
    bool found = false;
    // Beside msg_log, not where the url points to: all sidecars of one msg_log must find the same leases.
    const auto schema = schema_of(settings_.table, session_.database());
    session_.query("SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = 'msg_lane'",
                   std::array<mysql_value, 1>{schema}, [&](const mysql_row&) { found = true; });
    return found;
}

lease_table mysql_store::read_leases() {
    lease_table result;
    // The clock comes along, also when there are no leases: a standby asks this every second, and nothing else.
    session_.query(fmt::format("SELECT lane, lanes, owner, epoch, expires, wanted_by, clock.now_ms "
                               "FROM (SELECT {} AS now_ms) AS clock LEFT JOIN {} ON table_name = ? AND lane > {} "
                               "ORDER BY lane",
                               mysql_now, lane_table_, guard),
                   std::array<mysql_value, 1>{lanes_of_}, [&](const mysql_row& row) {
                       result.now = row.number(7).value_or(0);
                       if (row.number(1)) result.leases.push_back(lease_of(row));
                   });
    return result;
}

// False: there is no guard yet, and nothing is locked.
bool mysql_store::lock_leases(lease_table& into) {
    bool locked = false;
    into = {};
    session_.execute_text(fmt::format("SET SESSION wait_timeout = {}", seconds_until_missed));
    // Rows are locked in the order of the primary key, so the guard comes first and two can't wait for each other. A
    // locking read sees what is committed by the time that it gets there, at any isolation level.
    session_.query(fmt::format("SELECT lane, lanes, owner, epoch, expires, wanted_by FROM {} WHERE table_name = ? "
                               "ORDER BY lane FOR UPDATE",
                               lane_table_),
                   std::array<mysql_value, 1>{lanes_of_}, [&](const mysql_row& row) {
                       if (row.number(1) == guard)
                           locked = true;
                       else
                           into.leases.push_back(lease_of(row));
                   });
    // By itself: within the statement above, time stands still while it waits for the lock.
    session_.query(fmt::format("SELECT {}", mysql_now), {},
                   [&](const mysql_row& row) { into.now = row.number(1).value_or(0); });
    return locked;
}

void mysql_store::write_leases(const std::vector<lease>& before, const std::vector<lease>& after) {
    for (const auto& one : after) {
        const auto* old = lease_of_lane(before, one.lane);
        if (old != nullptr && *old == one) continue;
        const std::array<mysql_value, 7> values = {
            std::int64_t{one.lanes}, one.owner, one.epoch, one.expires, one.wanted_by, lanes_of_,
            std::int64_t{one.lane}};
        const std::string update = fmt::format(
            "UPDATE {} SET lanes = ?, owner = ?, epoch = ?, expires = ?, wanted_by = ? WHERE table_name = ? AND lane = "
            "?",
            lane_table_);
        const std::string insert = fmt::format(
            "INSERT INTO {} (lanes, owner, epoch, expires, wanted_by, table_name, lane) VALUES (?, ?, ?, ?, ?, ?, ?)",
            lane_table_);
        session_.execute(old != nullptr ? update : insert, values);
    }
    for (const auto& one : before) {
        if (lease_of_lane(after, one.lane) != nullptr) continue;
        session_.execute(fmt::format("DELETE FROM {} WHERE table_name = ? AND lane = ?", lane_table_),
                         std::array<mysql_value, 2>{lanes_of_, std::int64_t{one.lane}});
    }
}

lease_table mysql_store::change_leases(const std::function<std::vector<lease>(const lease_table&)>& decide) {
    lease_table table;
    bool decided = false;
    for (int attempt = 1;; ++attempt) {
        try {
            session_.transaction([&] {
                if (!lock_leases(table)) return;
                decided = true;
                auto after = decide(table);
                std::sort(after.begin(), after.end(), [](const auto& a, const auto& b) { return a.lane < b.lane; });
                write_leases(table.leases, after);
                table.leases = std::move(after);
            });
        } catch (const store_deadlock&) {
            if (decided || attempt == deadlock_attempts) throw;
            continue;
        }
        if (decided) return table;
        // Committed by itself. In the transaction its shared lock on a row that has come meanwhile would have to become
        // an exclusive one, and two of those are a deadlock.
        session_.execute(
            fmt::format("INSERT IGNORE INTO {} (table_name, lane, lanes) VALUES (?, {}, 0)", lane_table_, guard),
            std::array<mysql_value, 1>{lanes_of_});
    }
}

}  // namespace outbox
