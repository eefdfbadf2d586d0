// The statements of order by key.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"
#include "outbox/order.hpp"

namespace outbox {
namespace {

constexpr std::size_t keys_per_statement = 64;

}  // namespace

void mysql_store::require_order() {
    require_table();
    if (!order_hindrance(schema_, table_, "mysql")) return;
    learn_schema();  // the index may have come since
    if (const auto why = order_hindrance(schema_, table_, "mysql")) throw store_unusable(*why);
}

// A range of the index for each key, of which one entry is read: a condition in the statement for due rows would walk
// a key's whole backlog for each row in it. As columns of a single row, for which no temporary table is made.
std::vector<std::string> mysql_store::heads(std::span<const std::string> keys) {
    require_order();
    const auto first = [&](const char* what, status of) {
        return fmt::format(
            "(SELECT {} FROM {} AS h FORCE INDEX (`{}`) WHERE h.order_key = ? AND h.status = {} ORDER BY "
            "h.create_time, h.id LIMIT 1)",
            what, table_, schema_.index_on(order_index()), static_cast<int>(of));
    };
    const bool block = options_.on_failed == conf::on_failed::block;
    const auto head =
        block ? fmt::format("(SELECT e.id FROM ({} UNION ALL {}) AS e ORDER BY e.create_time, e.id LIMIT 1)",
                            first("h.id, h.create_time", status::delivering),
                            first("h.id, h.create_time", status::failed))
              : first("h.id", status::delivering);

    std::vector<std::string> ids;
    in_chunks(keys, keys_per_statement, [&](auto some) {
        const auto count = padded(some.size());
        std::vector<mysql_value> args;
        for (std::size_t i = 0; i < count; ++i)
            args.insert(args.end(), block ? 2 : 1, mysql_value(some[std::min(i, some.size() - 1)]));
        session_.query(fmt::format("SELECT {}", fmt::join(std::vector(count, head), ",")), args,
                       [&](const mysql_row& row) {
                           for (unsigned i = 1; i <= some.size(); ++i) {
                               if (auto id = row.text(i)) ids.push_back(std::move(*id));
                           }
                       });
    });
    return ids;
}

std::vector<message> mysql_store::due_among(std::span<const std::string> ids, const lane_set& of) {
    require_table();
    page result;
    if (of.lanes > 1 && of.held.empty()) return {};
    in_chunks(ids, rows_per_statement, [&](auto some) {
        std::vector<mysql_value> args(some.begin(), some.end());
        args.resize(padded(args.size()), args.back());
        read_rows(id_index_,
                  fmt::format("(next_try_time IS NULL OR next_try_time <= {}) AND id IN ({})", mysql_now,
                              question_marks(args.size())),
                  args, args.size(), of, result);
    });
    return std::move(result.rows);
}

counted mysql_store::count_blocked_keys() {
    std::set<std::string> keys;
    std::uint64_t rows = 0, ready = 0;
    for (const auto& due :
         {std::string("next_try_time IS NULL"), fmt::format("next_try_time <= {} ORDER BY next_try_time", mysql_now)}) {
        const std::array<mysql_value, 1> most = {static_cast<std::int64_t>(order_rows_looked_at - rows)};
        session_.query(fmt::format("SELECT order_key, COUNT(*) FROM (SELECT order_key FROM {} {} WHERE status = 0 AND "
                                   "{} LIMIT ?) AS some GROUP BY order_key",
                                   table_, due_index_, due),
                       most, [&](const mysql_row& row) {
                           if (auto key = row.text(1).value_or(""); !key.empty()) keys.insert(std::move(key));
                           rows += static_cast<std::uint64_t>(row.number(2).value_or(0));
                       });
    }
    const auto first = heads(std::vector(keys.begin(), keys.end()));
    in_chunks(std::span(first), rows_per_statement, [&](auto some) {
        std::vector<mysql_value> args(some.begin(), some.end());
        args.resize(padded(args.size()), args.back());
        session_.query(fmt::format("SELECT COUNT(*) FROM {} {} WHERE status = 0 AND (next_try_time IS NULL OR "
                                   "next_try_time <= {}) AND id IN ({})",
                                   table_, id_index_, mysql_now, question_marks(args.size())),
                       args,
                       [&](const mysql_row& row) { ready += static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    });
    return {keys.size() - std::min<std::uint64_t>(ready, keys.size()), rows < order_rows_looked_at};
}

}  // namespace outbox
