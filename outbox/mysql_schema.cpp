#include "outbox/mysql_schema.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace outbox {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

}  // namespace

std::string mysql_schema::index_on(const std::vector<std::string>& first_columns) const {
    for (const auto& [name, index_columns] : indexes) {
        if (index_columns.size() >= first_columns.size() &&
            std::equal(first_columns.begin(), first_columns.end(), index_columns.begin()))
            return name;
    }
    return {};
}

std::vector<std::string> mysql_schema::missing() const {
    static constexpr std::array contract = {"id",        "msg",           "exchange",    "routing_key", "status",
                                            "try_count", "next_try_time", "create_time", "update_time"};
    std::vector<std::string> names;
    for (const auto* name : contract) {
        if (!has(name)) names.emplace_back(name);
    }
    return names;
}

std::string quoted_table(const std::string& table) {
    const auto dot = table.find('.');
    if (dot == std::string::npos) return "`" + table + "`";
    return "`" + table.substr(0, dot) + "`.`" + table.substr(dot + 1) + "`";
}

mysql_schema read_mysql_schema(mysql_session& session, const std::string& table) {
    const auto dot = table.find('.');
    const std::string database = dot == std::string::npos ? session.database() : table.substr(0, dot);
    const std::string name = dot == std::string::npos ? table : table.substr(dot + 1);
    const std::array<mysql_value, 2> where = {std::string_view(database), std::string_view(name)};

    mysql_schema schema;
    session.query(
        "SELECT column_name, data_type, character_maximum_length, is_nullable, character_set_name, collation_name "
        "FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
        where, [&](const mysql_row& row) {
            mysql_column column;
            column.type = lower(row.text(2).value_or(""));
            column.length = row.number(3).value_or(0);
            column.nullable = row.text(4).value_or("YES") == "YES";
            column.charset = row.text(5).value_or("");
            column.collation = row.text(6).value_or("");
            schema.columns[lower(row.text(1).value_or(""))] = column;
        });
    session.query(
        "SELECT index_name, column_name FROM information_schema.statistics "
        "WHERE table_schema = ? AND table_name = ? AND sub_part IS NULL ORDER BY index_name, seq_in_index",
        where, [&](const mysql_row& row) {
            schema.indexes[row.text(1).value_or("")].push_back(lower(row.text(2).value_or("")));
        });
    return schema;
}

}  // namespace outbox
