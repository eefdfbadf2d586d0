#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "outbox/lease_rows.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {

bool soci_store::has_leases() { return dialect_->has_table(session_, beside(settings_.table, "msg_lane")); }

lease_table soci_store::read_leases() {
    lease_table result;
    // The clock comes along, also when there are no leases: a standby asks this every second, and nothing else.
    session_.query(fmt::format("SELECT lane, lanes, owner, epoch, expires, wanted_by, clock.now_ms "
                               "FROM (SELECT {} AS now_ms) AS clock LEFT JOIN {} ON table_name = :name AND lane >= 0 "
                               "ORDER BY lane",
                               now_, lane_table_),
                   7, std::array<sql_value, 1>{lanes_of_}, [&](const sql_row& row) {
                       result.now = row.number(7).value_or(0);
                       if (row.number(1)) result.leases.push_back(lease_of(row));
                   });
    return result;
}

void soci_store::write_leases(const std::vector<lease>& before, const std::vector<lease>& after) {
    const auto update = fmt::format(
        "UPDATE {} SET lanes = :lanes, owner = :owner, epoch = :epoch, expires = :expires, wanted_by = :wanted "
        "WHERE table_name = :name AND lane = :lane",
        lane_table_);
    const auto insert = fmt::format(
        "INSERT INTO {} (lanes, owner, epoch, expires, wanted_by, table_name, lane) "
        "VALUES (:lanes, :owner, :epoch, :expires, :wanted, :name, :lane)",
        lane_table_);
    for (const auto& one : after) {
        const auto* old = lease_of_lane(before, one.lane);
        if (old != nullptr && *old == one) continue;
        session_.execute(old != nullptr ? update : insert,
                         std::array<sql_value, 7>{std::int64_t{one.lanes}, one.owner, one.epoch, one.expires,
                                                  one.wanted_by, lanes_of_, std::int64_t{one.lane}});
    }
    for (const auto& one : before) {
        if (lease_of_lane(after, one.lane) != nullptr) continue;
        session_.execute(fmt::format("DELETE FROM {} WHERE table_name = :name AND lane = :lane", lane_table_),
                         std::array<sql_value, 2>{lanes_of_, std::int64_t{one.lane}});
    }
}

lease_table soci_store::change_leases(const std::function<std::vector<lease>(const lease_table&)>& decide) {
    lease_table table;
    session_.transaction([&] {
        dialect_->lock_leases(session_, lane_table_, lanes_of_);
        table = read_leases();
        auto after = decide(table);
        std::sort(after.begin(), after.end(), [](const auto& a, const auto& b) { return a.lane < b.lane; });
        write_leases(table.leases, after);
        table.leases = std::move(after);
    });
    return table;
}

}  // namespace outbox
