// What operators ask of the ledger and delete from it, and its retention.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "outbox/batch_document.hpp"
#include "outbox/deadlock.hpp"
#include "outbox/soci_asking.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {
namespace {

constexpr std::size_t beginning = 1'000;  // bytes of a reason
// Ids rise with time, but for those that were filed side by side: behind so many young entries no old one is looked
// for.
constexpr int young_enough = 1'000;

constexpr auto largest = std::numeric_limits<std::int64_t>::max();

}  // namespace

// Several outboxes of one database share its ledger.
std::string soci_store::of_this_table() const {
    if (!ledger_schema_.has("source")) return "";
    return fmt::format(" AND (source = '{}' OR source IS NULL)", name_of(settings_.table));
}

std::string soci_store::matching(const ledger_filter& filter, asking& to) const {
    std::string sql;
    if (filter.side)
        sql += fmt::format(" AND {} = {}", dialect_->number_of_flag("fail_flag", in_ledger("fail_flag")),
                           static_cast<int>(*filter.side));
    // A text that is not there is shown as an empty one, and so looked for.
    const auto text = [&](const char* column, const std::string& of, const std::optional<std::string>& wanted) {
        if (!wanted) return;
        if (!ledger_schema_.has(column)) {
            sql += wanted->empty() ? "" : " AND FALSE";
            return;
        }
        sql += fmt::format(" AND ({}{} = {})", wanted->empty() ? of + " IS NULL OR " : "",
                           dialect_->bytes(of, in_ledger(column)), dialect_->given_bytes(to.hex(*wanted)));
    };
    text("topic", "topic", filter.exchange);
    text("tags", "tags", filter.routing_key);
    const bool both = ledger_schema_.has("custom_message_id");
    text("message_id", both ? "COALESCE(message_id, custom_message_id)" : "message_id", filter.message_id);
    if (!filter.reason.empty())
        sql += " AND " + dialect_->contains(dialect_->bytes("ex_content", in_ledger("ex_content")),
                                            dialect_->given_bytes(to.hex(filter.reason)));
    const bool says_when = ledger_schema_.has("create_time");
    if (!says_when && (filter.since || filter.before)) return " AND FALSE";
    if (filter.since) sql += fmt::format(" AND create_time >= {}", to.number(*filter.since));
    if (filter.before) sql += fmt::format(" AND create_time < {}", to.number(*filter.before));
    return sql;
}

std::vector<ledger_entry> soci_store::entries(const ledger_filter& filter, std::optional<std::int64_t> before,
                                              std::size_t limit, bool whole) {
    std::vector<ledger_entry> all;
    if (!has_ledger()) return all;
    const auto text = [&](const char* name) {
        return ledger_schema_.has(name) ? dialect_->text(name, in_ledger(name)) : std::string("NULL");
    };
    const bool both = ledger_schema_.has("custom_message_id");
    const auto& reason = in_ledger("ex_content");
    asking ask;
    const auto from = ask.number(before.value_or(largest));
    const auto matches = matching(filter, ask);
    const auto most =
        ask.number(static_cast<std::int64_t>(std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max())));
    session_.query(
        fmt::format("SELECT id, {}, {}, {}, {}, {}, {}, {}, {}, {}, retry, {}, {} FROM {} WHERE id {} {}{}{} "
                    "ORDER BY id DESC LIMIT {}",
                    dialect_->number_of_flag("fail_flag", in_ledger("fail_flag")),
                    both ? "COALESCE(message_id, custom_message_id)" : "message_id", text("topic"), text("tags"),
                    whole ? text("message_key") : "NULL", whole ? text("headers") : "NULL",
                    whole ? text("ex_content") : dialect_->start("ex_content", reason, beginning),
                    whole ? dialect_->size("payload", in_ledger("payload")) : "0",
                    ledger_schema_.has("message_create_time") ? dialect_->utc("message_create_time") : "NULL",
                    dialect_->number_of_flag("last_retry_status", in_ledger("last_retry_status")),
                    ledger_schema_.has("create_time") ? "create_time" : "NULL", ledger_, before ? "<" : "<=", from,
                    matches, of_this_table(), most),
        13, ask.args, [&](const sql_row& row) {
            ledger_entry& one = all.emplace_back();
            one.id = row.number(1).value_or(0);
            one.failed_on =
                row.number(2).value_or(0) == 0 ? ledger_entry::side::producer : ledger_entry::side::consumer;
            one.message_id = row.text(3).value_or("");
            one.exchange = row.text(4).value_or("");
            one.routing_key = row.text(5).value_or("");
            one.key = row.text(6);
            one.headers = row.text(7);
            one.reason = dialect_->body(row.text(8).value_or(""), reason);
            one.payload_size = static_cast<std::uint64_t>(row.number(9).value_or(0));
            one.message_created = row.text(10);
            one.retries = row.number(11).value_or(0);
            one.last_retry_succeeded = row.number(12).value_or(0) != 0;
            one.filed = row.number(13);
        });
    return all;
}

std::uint64_t soci_store::count_entries(const ledger_filter& filter, std::uint64_t at_most) {
    std::uint64_t count = 0;
    if (!has_ledger()) return count;
    asking ask;
    const auto matches = matching(filter, ask);
    const auto most =
        ask.number(static_cast<std::int64_t>(std::min<std::uint64_t>(at_most, static_cast<std::uint64_t>(largest))));
    session_.query(fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} WHERE TRUE{}{} LIMIT {}) AS counted", ledger_,
                               matches, of_this_table(), most),
                   1, ask.args,
                   [&](const sql_row& row) { count = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    return count;
}

std::size_t soci_store::remove_entries(std::span<const std::int64_t> entries) {
    if (entries.empty() || !has_ledger()) return 0;
    static constexpr std::array fields = {batch_field{"entry", batch_field::kind::number}};
    batch_document batch;
    for (const auto entry : entries) batch.row().number(entry);
    const auto json = batch.json();
    std::size_t removed = 0;
    const auto sql = fmt::format("DELETE FROM {} WHERE id IN (SELECT entry FROM {} AS given){}", ledger_,
                                 dialect_->rows_of("batch", fields, column("id")), of_this_table());
    const auto work = [&] { removed = session_.execute(sql, std::array<sql_value, 1>{json}); };
    retrying_deadlocks([&] { session_.transaction(work); });
    return removed;
}

// By the primary key from its beginning, as there is no index on the time.
std::string soci_store::old_entries(const char* what, std::chrono::milliseconds age, asking& to) const {
    const auto old = to.number(age.count());
    const auto young = to.number(age.count());
    return fmt::format(
        "SELECT {0} FROM {1} WHERE create_time < {2} - {3}{5} AND id < COALESCE((SELECT id FROM {1} "
        "WHERE create_time >= {2} - {4} ORDER BY id LIMIT 1 OFFSET {6}), {7})",
        what, ledger_, now_, old, young, of_this_table(), young_enough, largest);
}

std::optional<std::size_t> soci_store::purge_ledger(std::chrono::milliseconds age, std::size_t limit) {
    if (!has_ledger() || !ledger_schema_.has("create_time")) return std::nullopt;
    // Found without locks, then deleted by primary key: nobody who files waits for the search.
    std::vector<std::int64_t> ids;
    asking ask;
    const auto old = old_entries("id", age, ask);
    const auto most = ask.number(static_cast<std::int64_t>(limit));
    session_.query(fmt::format("{} ORDER BY id LIMIT {}", old, most), 1, ask.args,
                   [&](const sql_row& row) { ids.push_back(row.number(1).value_or(0)); });
    return remove_entries(ids);
}

std::optional<std::uint64_t> soci_store::purgeable_in_ledger(std::chrono::milliseconds age) {
    if (!has_ledger() || !ledger_schema_.has("create_time")) return std::nullopt;
    std::uint64_t count = 0;
    asking ask;
    const auto old = old_entries("COUNT(*)", age, ask);
    session_.query(old, 1, ask.args,
                   [&](const sql_row& row) { count = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    return count;
}

}  // namespace outbox
