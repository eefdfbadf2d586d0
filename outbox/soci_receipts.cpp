#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "outbox/batch_document.hpp"
#include "outbox/soci_store.hpp"

namespace outbox {

receipts_taken soci_store::take_receipts(std::span<const std::string> ids) {
    require_table();
    receipts_taken result;
    const auto room = dialect_->room_in(column("id"));
    std::vector<std::string> possible;
    for (const auto& id : ids) (!id.empty() && fitting_text(id, room) == id ? possible : result.unknown).push_back(id);
    try {
        result.changed = set_consumed(possible);
    } catch (const store_error&) {
        // Ids of a type of their own (uuid) turn away what can't be one; anything else is not the ids' fault.
        const auto refused = std::stable_partition(possible.begin(), possible.end(),
                                                   [&](const std::string& id) { return may_be_an_id(id); });
        if (refused == possible.end()) throw;
        std::move(refused, possible.end(), std::back_inserter(result.unknown));
        possible.erase(refused, possible.end());
        result.changed = set_consumed(possible);
    }
    if (result.changed < possible.size()) add_unknown(possible, result.unknown);
    return result;
}

std::size_t soci_store::set_consumed(std::span<const std::string> ids) {
    return change_ids(fmt::format("UPDATE {} {} SET status = 3, update_time = {}", table_, by_id_, now_),
                      fmt::format("{} IN (0, 1)", dialect_->beside_indexes("status")), ids);
}

bool soci_store::may_be_an_id(const std::string& id) {
    const auto look = [&](const std::string& condition, std::span<const sql_value> args) {
        session_.query(fmt::format("SELECT 1 FROM {} {} WHERE {}", table_, by_id_, condition), 1, args,
                       [](const sql_row&) {});
    };
    look("id IS NULL", {});  // a table that can't be read at all is no fault of the id
    try {
        look("id = " + dialect_->given_id("id", column("id")), std::array<sql_value, 1>{id});
        return true;
    } catch (const store_error&) {
        return false;
    }
}

// The database alone knows how it compares ids.
void soci_store::add_unknown(std::span<const std::string> ids, std::vector<std::string>& to) {
    using kind = batch_field::kind;
    static constexpr std::array fields = {batch_field{"id", kind::id}, batch_field{"place", kind::number}};
    batch_document batch;
    for (std::size_t i = 0; i < ids.size(); ++i) batch.row().text(ids[i]).number(static_cast<std::int64_t>(i));
    const auto json = batch.json();
    session_.query(fmt::format("SELECT given.place FROM {} AS given WHERE NOT EXISTS (SELECT 1 FROM {} AS m {} WHERE "
                               "m.id = given.id)",
                               dialect_->rows_of("batch", fields, column("id")), table_, by_id_),
                   1, std::array<sql_value, 1>{json},
                   [&](const sql_row& row) { to.push_back(ids[static_cast<std::size_t>(row.number(1).value_or(0))]); });
}

}  // namespace outbox
