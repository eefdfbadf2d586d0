// The statements of order by key.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "outbox/batch_document.hpp"
#include "outbox/order.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {
namespace {

constexpr std::size_t ids_per_statement = 500;

std::string document_of(std::span<const std::string> texts) {
    batch_document batch;
    for (const auto& one : texts) batch.row().text(one);
    return batch.json();
}

}  // namespace

void soci_store::require_order() {
    require_table();
    if (!order_hindrance(schema_, table_, dialect_->schema_folder())) return;
    learn_schema();  // the index may have come since
    if (const auto why = order_hindrance(schema_, table_, dialect_->schema_folder())) throw store_unusable(*why);
}

// The first row of a status, of the key that `key` stands for: one entry of the index is read. Rows without a time come
// first, as in the other databases.
std::string soci_store::first_of_key(const char* what, status of, const std::string& key) const {
    return fmt::format(
        "SELECT {} FROM {} AS h {} WHERE h.order_key = {} AND h.status = {} AND {} ORDER BY h.create_time NULLS FIRST, "
        "h.id LIMIT 1",
        what, table_, by_order_, key, static_cast<int>(of), told_apart_);
}

std::string soci_store::head_of(const std::string& key) const {
    if (options_.on_failed == conf::on_failed::skip) return first_of_key("h.id", status::delivering, key);
    const auto* both = "h.id, h.create_time";
    return fmt::format(
        "SELECT e.id FROM (SELECT * FROM ({}) AS a UNION ALL SELECT * FROM ({}) AS b) AS e ORDER BY e.create_time "
        "NULLS FIRST, e.id LIMIT 1",
        first_of_key(both, status::delivering, key), first_of_key(both, status::failed, key));
}

std::vector<std::string> soci_store::heads(std::span<const std::string> keys) {
    require_order();
    std::vector<std::string> ids;
    if (keys.empty()) return ids;
    static constexpr std::array fields = {batch_field{"order_key", batch_field::kind::id}};
    const auto json = document_of(keys);
    session_.query(fmt::format("SELECT ({}) FROM {} AS given", head_of("given.order_key"),
                               dialect_->rows_of("batch", fields, column("order_key"))),
                   1, std::array<sql_value, 1>{json}, [&](const sql_row& row) {
                       if (auto id = row.text(1)) ids.push_back(std::move(*id));
                   });
    return ids;
}

std::vector<message> soci_store::due_among(std::span<const std::string> ids, const lane_set& of) {
    require_table();
    if (ids.empty() || (of.lanes > 1 && of.held.empty())) return {};
    page result;
    const auto json = document_of(ids);
    read_rows(due_statement(by_id_, dialect_->beside_indexes("status"),
                            fmt::format("{} AND {}", is_due(), dialect_->among("batch", column("id"))), of),
              std::array<sql_value, 1>{json}, ids.size(), result);
    return std::move(result.rows);
}

std::string soci_store::is_due() const {
    const auto time = dialect_->beside_indexes("next_try_time");
    return fmt::format("({0} IS NULL OR {0} <= {1})", time, now_);
}

counted soci_store::count_blocked_keys() {
    std::set<std::string> keys;
    std::uint64_t rows = 0, ready = 0;
    for (const auto& due :
         {std::string("next_try_time IS NULL"), fmt::format("next_try_time <= {} ORDER BY next_try_time", now_)}) {
        const std::array<sql_value, 1> most = {static_cast<std::int64_t>(order_rows_looked_at - rows)};
        session_.query(fmt::format("SELECT k, COUNT(*) FROM (SELECT {} AS k FROM {} {} WHERE status = 0 AND {} LIMIT "
                                   ":most) AS counted GROUP BY k",
                                   order_key(), table_, by_due_, due),
                       2, most, [&](const sql_row& row) {
                           if (auto key = row.text(1).value_or(""); !key.empty()) keys.insert(std::move(key));
                           rows += static_cast<std::uint64_t>(row.number(2).value_or(0));
                       });
    }
    const auto first = heads(std::vector(keys.begin(), keys.end()));
    for (std::size_t at = 0; at < first.size(); at += ids_per_statement) {
        const auto json = document_of(std::span(first).subspan(at, std::min(ids_per_statement, first.size() - at)));
        session_.query(
            fmt::format("SELECT COUNT(*) FROM {} {} WHERE {} = 0 AND {} AND {}", table_, by_id_,
                        dialect_->beside_indexes("status"), is_due(), dialect_->among("batch", column("id"))),
            1, std::array<sql_value, 1>{json},
            [&](const sql_row& row) { ready += static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    }
    return {keys.size() - std::min<std::uint64_t>(ready, keys.size()), rows < order_rows_looked_at};
}

}  // namespace outbox
