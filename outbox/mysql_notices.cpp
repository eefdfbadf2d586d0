#include <fmt/format.h>

#include <array>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"
#include "outbox/notices_terms.hpp"

namespace outbox {

using namespace notices_terms;

std::string mysql_store::notice_table() const { return quoted_table(beside(settings_.table, "sys_mq_notice")); }

bool mysql_store::has_notices() {
    if (!has_ledger()) return false;
    bool found = false;
    const auto schema = schema_of(settings_.table, session_.database());
    session_.query("SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = 'sys_mq_notice'",
                   std::array<mysql_value, 1>{schema}, [&](const mysql_row&) { found = true; });
    return found;
}

// Whoever else has noted the same at the same time was as right.
void mysql_store::insert_notices(const std::vector<std::int64_t>& entries, int state, const std::string& seen_time) {
    if (entries.empty()) return;
    session_.execute_text(fmt::format("INSERT INTO {} ({}) VALUES {} ON DUPLICATE KEY UPDATE state = state",
                                      notice_table(), columns,
                                      rows(entries, lanes_of_, state, std::string(mysql_now), seen_time)));
}

void mysql_store::note(const std::vector<std::int64_t>& entries, int state, const std::string& seen_time) {
    retrying_deadlocks([&] { insert_notices(entries, state, seen_time); });
}

std::optional<std::int64_t> mysql_store::notice_mark() {
    std::optional<std::int64_t> mark;
    session_.query(
        fmt::format("SELECT entry FROM {} FORCE INDEX (PRIMARY) WHERE table_name = '{}' AND seen_time <= {} - "
                    "{} ORDER BY entry DESC LIMIT 1",
                    notice_table(), lanes_of_, mysql_now, late_ms),
        {}, [&](const mysql_row& row) { mark = row.number(1); });
    return mark;
}

std::size_t mysql_store::note_entries(std::size_t limit) {
    if (!has_ledger()) return 0;
    std::vector<std::int64_t> found;
    const auto find = [&](const std::string& sql, std::span<const mysql_value> args) {
        session_.query(sql, args, [&](const mysql_row& row) { found.push_back(row.number(1).value_or(0)); });
    };
    const auto mark = notice_mark();
    if (!mark) {  // the first look of all
        find(fmt::format("SELECT id FROM {} WHERE id > 0{} ORDER BY id DESC LIMIT {}", ledger_, of_this_table(),
                         noted_at_first),
             {});
        const auto lowest = found.empty() ? 0 : found.back();
        if (!found.empty()) found.pop_back();
        note(found, 3, std::string(mysql_now));
        note({lowest}, 3, "0");  // the last: with it, the first look is over
        return 0;
    }
    find(fmt::format(
             "SELECT id FROM {} LEFT JOIN {} ON table_name = '{}' AND entry = id WHERE id > ? AND entry IS NULL{} "
             "ORDER BY id LIMIT ?",
             ledger_, notice_table(), lanes_of_, of_this_table()),
         std::array<mysql_value, 2>{*mark, static_cast<std::int64_t>(limit)});
    note(found, 0, std::string(mysql_now));
    if (!found.empty() || *mark == 0) return found.size();
    // A ledger that was truncated counts from 1 again.
    find(fmt::format("SELECT id FROM {} LIMIT 1", ledger_), {});
    if (found.empty()) {
        retrying_deadlocks([&] {
            session_.transaction([&] {
                session_.execute_text(fmt::format("DELETE FROM {} WHERE table_name = '{}'", notice_table(), lanes_of_));
                insert_notices({0}, 3, "0");
            });
        });
    }
    return 0;
}

std::uint64_t mysql_store::count_notices(std::uint64_t at_most) {
    std::uint64_t count = 0;
    session_.query(
        fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} WHERE table_name = '{}' AND state = 0 LIMIT {}) AS "
                    "some",
                    notice_table(), lanes_of_, at_most),
        {}, [&](const mysql_row& row) { count = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    return count;
}

std::vector<notice> mysql_store::due_notices(std::size_t limit) {
    std::vector<std::pair<std::int64_t, std::int64_t>> due;
    session_.query(
        fmt::format("SELECT entry, tries FROM {} WHERE table_name = '{}' AND state = 0 AND next_try_time <= {} "
                    "ORDER BY next_try_time, entry LIMIT ?",
                    notice_table(), lanes_of_, mysql_now),
        std::array<mysql_value, 1>{static_cast<std::int64_t>(limit)},
        [&](const mysql_row& row) { due.emplace_back(row.number(1).value_or(0), row.number(2).value_or(0)); });
    std::vector<notice> all;
    std::vector<notice_outcome> gone;
    for (const auto& [entry, tries] : due) {
        if (auto one = notice_of(*this, entry, tries))
            all.push_back(std::move(*one));
        else
            gone.push_back({entry, notice_outcome::kind::untold, {}, false, {}});
    }
    if (!gone.empty()) record_notices(gone);
    return all;
}

std::optional<std::string> mysql_store::payload_start(std::int64_t entry, std::size_t bytes) {
    std::optional<std::string> found;
    if (!has_ledger()) return found;
    session_.query(fmt::format("SELECT LEFT(payload, ?) FROM {} WHERE id = ?{}", ledger_, of_this_table()),
                   std::array<mysql_value, 2>{static_cast<std::int64_t>(bytes), entry},
                   [&](const mysql_row& row) { found = row.text(1).value_or("").substr(0, bytes); });
    return found;
}

void mysql_store::record_notices(std::span<const notice_outcome> outcomes) {
    const auto record = [&](const notice_outcome& one) {
        const auto error = fitting_error(one.error);
        const std::array<mysql_value, 5> args = {static_cast<std::int64_t>(one.what), std::int64_t{one.spent ? 1 : 0},
                                                 std::int64_t{one.delay.count()}, std::string_view(error), one.entry};
        session_.execute(fmt::format("UPDATE {} SET state = ?, tries = tries + ?, next_try_time = {} + ?, last_error = "
                                     "NULLIF(?, '') WHERE table_name = '{}' AND state = 0 AND entry = ?",
                                     notice_table(), mysql_now, lanes_of_),
                         args);
    };
    retrying_deadlocks([&] {
        session_.transaction([&] {
            for (const auto& one : outcomes) record(one);
        });
    });
}

std::size_t mysql_store::forget_notices() {
    const auto mark = notice_mark();
    if (!mark) return 0;
    std::size_t forgotten = 0;
    retrying_deadlocks([&] {
        forgotten = session_.execute(
            fmt::format("DELETE FROM {} WHERE table_name = '{}' AND entry < ? AND (state IN (1, 3) OR (state = 2 AND "
                        "seen_time < {} - {})) LIMIT {}",
                        notice_table(), lanes_of_, mysql_now, given_up_kept_ms, cleared_at_once),
            std::array<mysql_value, 1>{*mark});
    });
    return forgotten;
}

}  // namespace outbox
