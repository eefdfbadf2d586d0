#include <fmt/format.h>
#include <fmt/ranges.h>

#include "outbox/mysql.hpp"
#include "outbox/mysql_statements.hpp"

namespace outbox {
namespace {

constexpr std::size_t asked_per_statement = 64;

}  // namespace

receipts_taken mysql_store::take_receipts(std::span<const std::string> ids) {
    require_table();
    receipts_taken result;
    // A character that the column's charset does not have would make the server convert, and lock, every row.
    const auto room = room_in(schema_.columns["id"]);
    std::vector<std::string> possible;
    for (const auto& id : ids) (!id.empty() && fitting_text(id, room) == id ? possible : result.unknown).push_back(id);
    result.changed =
        change_ids(fmt::format("UPDATE {} {} SET status = 3, update_time = {}", table_, id_index_, mysql_now),
                   "status IN (0, 1)", possible);
    if (result.changed == possible.size()) return result;

    // Which of them there are is asked of the server, which alone knows how it compares ids.
    in_chunks(std::span<const std::string>(possible), asked_per_statement, [&](auto some) {
        std::vector<mysql_value> args(some.begin(), some.end());
        args.resize(padded(args.size()), args.back());
        const std::vector<std::string> exists(
            args.size(), fmt::format("EXISTS (SELECT 1 FROM {} {} WHERE id = ?)", table_, id_index_));
        session_.query(fmt::format("SELECT {}", fmt::join(exists, ", ")), args, [&](const mysql_row& row) {
            for (std::size_t i = 0; i < some.size(); ++i)
                if (row.number(static_cast<unsigned>(i + 1)) == 0) result.unknown.push_back(some[i]);
        });
    });
    return result;
}

}  // namespace outbox
