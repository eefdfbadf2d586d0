#include <fmt/format.h>
#include <fmt/ranges.h>

#include "outbox/mysql_doctor.hpp"

namespace outbox {
namespace {

// Without an index to go by, a look at more rows than this would be a burden.
constexpr std::int64_t many_rows = 1'000'000;

}  // namespace

void examine_plan(mysql_session& session, const std::string& what, const std::string& sql, const std::string& pays,
                  findings& to) {
    // MySQL has the column `partitions` in between, and may be told to print a tree instead.
    const bool maria = session.is_mariadb();
    const unsigned shift = maria ? 0 : 1;
    std::string key, extra;
    std::int64_t rows = 0;
    session.query_text(fmt::format("EXPLAIN {}{}", maria ? "" : "FORMAT=TRADITIONAL ", sql), [&](const mysql_row& row) {
        key = row.text(6 + shift).value_or("");
        rows = row.number(9 + shift).value_or(0);
        extra = row.text(maria ? 10 : 12).value_or("");
    });
    if (key.empty() && rows > 0)
        return to.advise(what, fmt::format("the server walks through the table, about {} rows, {}", rows, pays),
                         "Add the index, see above.");
    if (extra.find("filesort") != extra.npos)
        return to.advise(what, fmt::format("the server uses index {}, then sorts about {} rows, {}", key, rows, pays),
                         "Add the index, see above.");
    to.good(what, key.empty() ? "the table is empty" : fmt::format("uses index {}, about {} rows", key, rows));
}

void examine_rows(mysql_session& session, const examined_table& table, findings& to) {
    std::int64_t estimate = 0;
    session.query("SELECT table_rows FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
                  std::array<mysql_value, 2>{std::string_view(table.database), std::string_view(table.name)},
                  [&](const mysql_row& row) { estimate = row.number(1).value_or(0); });
    if (table.schema.index_on({"status"}).empty() && estimate > many_rows)
        return to.advise("rows",
                         fmt::format("about {} rows; not looked at, as there is no index to do it by", estimate),
                         "Add the indexes, see above.");

    std::vector<std::string> unknown;
    session.query_text(
        fmt::format("SELECT status, COUNT(*) FROM {} WHERE status < 0 OR status > 3 OR status IS NULL "
                    "GROUP BY status ORDER BY status LIMIT 10",
                    table.quoted),
        [&](const mysql_row& row) {
            unknown.push_back(fmt::format("{} ({} rows)", row.text(1).value_or("NULL"), row.number(2).value_or(0)));
        });
    if (!unknown.empty())
        to.advise("rows", fmt::format("with a status that nobody knows: {}", fmt::join(unknown, ", ")),
                  "They are left alone: neither sent nor purged. To have one sent, set its status to 0.");

    std::int64_t negative = 0;
    session.query_text(fmt::format("SELECT COUNT(*) FROM {} WHERE status = 0 AND try_count < 0", table.quoted),
                       [&](const mysql_row& row) { negative = row.number(1).value_or(0); });
    if (negative > 0)
        to.advise("rows", fmt::format("{} waiting rows have a negative try_count", negative),
                  "It counts as 0. Find out who wrote it.");
    if (unknown.empty() && negative == 0) to.good("rows", "none with an unknown status or a negative try_count");
}

}  // namespace outbox
