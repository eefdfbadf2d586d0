// The statements of parked rows.
#include <fmt/format.h>

#include <array>
#include <map>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"

namespace outbox {

// Most of a batch are parked until the same time, for the same reason: they share a statement.
std::size_t mysql_store::settle_parked(std::span<const settlement* const> rows) {
    std::map<std::pair<epoch_ms, std::string>, std::vector<std::string>> alike;
    for (const auto* row : rows) alike[{row->until, row->error}].push_back(row->id);
    std::size_t changed = 0;
    for (const auto& [what, ids] : alike) {
        in_chunks(std::span(ids), rows_per_statement, [&, until = what.first, why = what.second](auto some) {
            std::vector<mysql_value> args = {std::int64_t{until}};
            std::string set = "next_try_time = ?";
            const auto error = fitting_text(why, error_room_);
            if (error_room_.characters > 0) {
                set += ", last_error = ?";
                args.emplace_back(error);
            }
            const auto count = padded(some.size());
            for (std::size_t i = 0; i < count; ++i) args.emplace_back(some[std::min(i, some.size() - 1)]);
            changed += session_.execute(fmt::format("UPDATE {} {} SET {}, update_time = {} WHERE status = 0 AND id IN "
                                                    "({})",
                                                    table_, id_index_, set, mysql_now, question_marks(count)),
                                        args);
        });
    }
    return changed;
}

std::string mysql_store::is_parked() const {
    return schema_.has("last_error") ? fmt::format("last_error LIKE '{}%'", parked_mark) : "FALSE";
}

// Found without locks, then changed by id. By an id to go on from, or each step would walk over what those before it
// have left behind in the index.
released mysql_store::release(epoch_ms parked_until, const std::optional<std::string>& after, std::size_t limit) {
    require_table();
    std::vector<mysql_value> args = {std::int64_t{parked_until}};
    if (after) args.emplace_back(*after);
    args.emplace_back(static_cast<std::int64_t>(limit));
    std::vector<std::string> ids;
    session_.query(
        fmt::format("SELECT id FROM {} {} WHERE status = 0 AND next_try_time = ? AND {} {} ORDER BY id LIMIT "
                    "?",
                    table_, due_index_, is_parked(), after ? "AND id > ?" : ""),
        args, [&](const mysql_row& row) { ids.push_back(row.text(1).value_or("")); });
    released result;
    result.rows = change_ids(
        fmt::format("UPDATE {} {} SET next_try_time = {}, update_time = {}", table_, id_index_, mysql_now, mysql_now),
        fmt::format("status = 0 AND next_try_time = {}", parked_until), ids);
    if (ids.size() == limit) result.next = ids.back();
    return result;
}

}  // namespace outbox
