// The statements of parked rows.
#include <fmt/format.h>

#include <array>
#include <map>

#include "outbox/batch_document.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {

// Most of a batch are parked until the same time, for the same reason: they share a statement.
std::size_t soci_store::settle_parked(std::span<const settlement* const> rows) {
    std::map<std::pair<epoch_ms, std::string>, batch_document> alike;
    for (const auto* row : rows) alike[{row->until, row->error}].row().text(row->id);
    std::size_t changed = 0;
    for (const auto& [what, batch] : alike) {
        std::vector<sql_value> args = {std::int64_t{what.first}};
        std::string set = "next_try_time = :time";
        const auto error = fitting_text(what.second, error_room_);
        if (error_room_.characters > 0) {
            set += ", last_error = :error";
            args.emplace_back(error);
        }
        const auto json = batch.json();
        args.emplace_back(json);
        changed += session_.execute(
            fmt::format("UPDATE {} {} SET {}, update_time = {} WHERE {} = 0 AND {}", table_, by_id_, set, now_,
                        dialect_->beside_indexes("status"), dialect_->among("batch", column("id"))),
            args);
    }
    return changed;
}

std::string soci_store::is_parked() const {
    return schema_.has("last_error") ? fmt::format("last_error LIKE '{}%'", parked_mark) : "1 = 0";
}

// Found without locks, then changed by id. By an id to go on from, or each step would walk over what those before it
// have left behind in the index.
released soci_store::release(epoch_ms parked_until, const std::optional<std::string>& after, std::size_t limit) {
    require_table();
    std::vector<sql_value> args = {std::int64_t{parked_until}};
    if (after) args.emplace_back(*after);
    args.emplace_back(static_cast<std::int64_t>(limit));
    const auto beyond = after ? fmt::format("AND {} > {}", id_, dialect_->given_id("id", column("id"))) : std::string();
    std::vector<std::string> ids;
    session_.query(fmt::format("SELECT id FROM {} {} WHERE status = 0 AND next_try_time = :time AND {} AND {} {} ORDER "
                               "BY {} LIMIT :most",
                               table_, by_due_, told_apart_, is_parked(), beyond, id_),
                   1, args, [&](const sql_row& row) { ids.push_back(row.text(1).value_or("")); });
    released result;
    result.rows =
        change_ids(fmt::format("UPDATE {} {} SET next_try_time = {}, update_time = {}", table_, by_id_, now_, now_),
                   fmt::format("{} = 0 AND {} = {}", dialect_->beside_indexes("status"),
                               dialect_->beside_indexes("next_try_time"), parked_until),
                   ids);
    if (ids.size() == limit) result.next = ids.back();
    return result;
}

}  // namespace outbox
