// What operators ask of the ledger and delete from it, and its retention.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>
#include <limits>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"

namespace outbox {
namespace {

constexpr int beginning = 1'000;  // characters of a reason
// Ids rise with time, but for those that were filed side by side: behind so many young entries no old one is looked
// for.
constexpr int young_enough = 1'000;

// "" of a text that is not there: shown so, and so looked for.
std::string bytes_or_empty(const std::string& selected) { return as_bytes(fmt::format("COALESCE({}, '')", selected)); }

struct conditions {
    std::string sql;
    std::vector<mysql_value> args;

    void text(const std::string& condition, std::string_view bytes) {
        sql += " AND " + condition;
        args.emplace_back(texts_.emplace_back(hex(bytes)));
    }
    void number(const std::string& condition, std::int64_t value) {
        sql += " AND " + condition;
        args.emplace_back(value);
    }
    conditions() = default;
    conditions(const conditions&) = delete;  // args refer to texts_

  private:
    std::deque<std::string> texts_;
};

void add(const ledger_filter& filter, const mysql_schema& ledger, const std::string& id, conditions& to) {
    if (filter.side) to.number("fail_flag + 0 = ?", static_cast<std::int64_t>(*filter.side));
    if (filter.exchange) to.text(bytes_or_empty(ledger.selected("topic")) + " = UNHEX(?)", *filter.exchange);
    if (filter.routing_key) to.text(bytes_or_empty(ledger.selected("tags")) + " = UNHEX(?)", *filter.routing_key);
    if (filter.message_id) to.text(bytes_or_empty(id) + " = UNHEX(?)", *filter.message_id);
    if (!filter.reason.empty()) {
        const auto& reason = ledger.columns.find("ex_content")->second;
        to.text(fmt::format("LOCATE(UNHEX(?), {}) > 0", reason.charset.empty() ? "ex_content" : as_bytes("ex_content")),
                filter.reason);
    }
    if (filter.since) to.number(ledger.selected("create_time") + " >= ?", *filter.since);
    if (filter.before) to.number(ledger.selected("create_time") + " < ?", *filter.before);
}

std::string message_id(const mysql_schema& ledger) {
    return ledger.has("custom_message_id") ? "COALESCE(message_id, custom_message_id)" : "message_id";
}

}  // namespace

// Several outboxes of one database share its ledger.
std::string mysql_store::of_this_table() const {
    if (!ledger_schema_.has("source")) return "";
    return fmt::format(" AND (source = '{}' OR source IS NULL)", name_of(settings_.table));
}

std::vector<ledger_entry> mysql_store::entries(const ledger_filter& filter, std::optional<std::int64_t> before,
                                               std::size_t limit, bool whole) {
    std::vector<ledger_entry> all;
    if (!has_ledger()) return all;
    const auto& l = ledger_schema_;
    conditions where;
    where.number(before ? "id < ?" : "id <= ?", before.value_or(std::numeric_limits<std::int64_t>::max()));
    add(filter, l, message_id(l), where);
    where.args.emplace_back(
        static_cast<std::int64_t>(std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max())));
    const auto reason = whole ? std::string("ex_content") : fmt::format("LEFT(ex_content, {})", beginning);
    session_.query(
        fmt::format("SELECT id, fail_flag + 0, {}, {}, {}, {}, {}, {}, {}, {}, retry, last_retry_status + 0, {} FROM "
                    "{} WHERE TRUE{}{} ORDER BY id DESC LIMIT ?",
                    message_id(l), l.selected("topic"), l.selected("tags"), whole ? l.selected("message_key") : "NULL",
                    whole ? l.selected("headers") : "NULL", reason, whole ? "OCTET_LENGTH(payload)" : "0",
                    l.has("message_create_time") ? "DATE_FORMAT(message_create_time, '%Y-%m-%dT%H:%i:%sZ')" : "NULL",
                    l.selected("create_time"), ledger_, where.sql, of_this_table()),
        where.args, [&](const mysql_row& row) {
            ledger_entry& one = all.emplace_back();
            one.id = row.number(1).value_or(0);
            one.failed_on =
                row.number(2).value_or(0) == 0 ? ledger_entry::side::producer : ledger_entry::side::consumer;
            one.message_id = row.text(3).value_or("");
            one.exchange = row.text(4).value_or("");
            one.routing_key = row.text(5).value_or("");
            one.key = row.text(6);
            one.headers = row.text(7);
            one.reason = row.text(8).value_or("");
            one.payload_size = static_cast<std::uint64_t>(row.number(9).value_or(0));
            one.message_created = row.text(10);
            one.retries = row.number(11).value_or(0);
            one.last_retry_succeeded = row.number(12).value_or(0) != 0;
            one.filed = row.number(13);
        });
    return all;
}

std::uint64_t mysql_store::count_entries(const ledger_filter& filter, std::uint64_t at_most) {
    std::uint64_t count = 0;
    if (!has_ledger()) return count;
    conditions where;
    add(filter, ledger_schema_, message_id(ledger_schema_), where);
    where.args.emplace_back(
        static_cast<std::int64_t>(std::min<std::uint64_t>(at_most, std::numeric_limits<std::int64_t>::max())));
    session_.query(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} WHERE TRUE{}{} LIMIT ?) AS some", ledger_,
                               where.sql, of_this_table()),
                   where.args,
                   [&](const mysql_row& row) { count = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    return count;
}

std::size_t mysql_store::remove_entries(std::span<const std::int64_t> entries) {
    std::size_t removed = 0;
    if (!has_ledger()) return removed;
    in_chunks(entries, rows_per_statement, [&](auto some) {
        std::vector<mysql_value> args(some.begin(), some.end());
        args.resize(padded(args.size()), args.back());
        const auto sql =
            fmt::format("DELETE FROM {} WHERE id IN ({}){}", ledger_, question_marks(args.size()), of_this_table());
        removed += retrying_deadlocks([&] { return session_.execute(sql, args); });
    });
    return removed;
}

// By the primary key from its beginning, as there is no index on the time. Where the young ones begin is asked for by
// itself: within one statement MariaDB would not end the range there, and go through all of the table.
std::string mysql_store::old_entries(std::chrono::milliseconds age) {
    auto end = std::numeric_limits<std::int64_t>::max();
    session_.query(fmt::format("SELECT id FROM {} WHERE create_time >= {} - ? ORDER BY id LIMIT {}, 1", ledger_,
                               mysql_now, young_enough),
                   std::array<mysql_value, 1>{std::int64_t{age.count()}},
                   [&](const mysql_row& row) { end = row.number(1).value_or(end); });
    return fmt::format("FROM {} WHERE create_time < {} - {}{} AND id < {}", ledger_, mysql_now, age.count(),
                       of_this_table(), end);
}

std::optional<std::size_t> mysql_store::purge_ledger(std::chrono::milliseconds age, std::size_t limit) {
    if (!has_ledger() || !ledger_schema_.has("create_time")) return std::nullopt;
    // Found without locks, then deleted by primary key: nobody who files waits for the search.
    std::vector<std::int64_t> ids;
    session_.query_text(fmt::format("SELECT id {} ORDER BY id LIMIT {}", old_entries(age), limit),
                        [&](const mysql_row& row) { ids.push_back(row.number(1).value_or(0)); });
    return remove_entries(ids);
}

std::optional<std::uint64_t> mysql_store::purgeable_in_ledger(std::chrono::milliseconds age) {
    if (!has_ledger() || !ledger_schema_.has("create_time")) return std::nullopt;
    std::uint64_t count = 0;
    session_.query_text("SELECT COUNT(*) " + old_entries(age),
                        [&](const mysql_row& row) { count = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    return count;
}

}  // namespace outbox
