#include "outbox/mysql_schema.hpp"

#include <array>

namespace outbox {
std::string mysql_schema::selected(std::string_view column) const {
    const auto found = columns.find(column);
    if (found == columns.end()) return "NULL";
    const auto name = "`" + found->first + "`";
    return found->second.type == "json" ? "CAST(" + name + " AS CHAR)" : name;
}

std::string quoted_table(const std::string& table) {
    const auto schema = schema_of(table, "");
    return schema.empty() ? "`" + table + "`" : "`" + schema + "`.`" + name_of(table) + "`";
}

mysql_schema read_mysql_schema(mysql_session& session, const std::string& table) {
    const auto database = schema_of(table, session.database());
    const auto name = name_of(table);
    const std::array<mysql_value, 2> where = {std::string_view(database), std::string_view(name)};

    mysql_schema schema;
    session.query(
        "SELECT column_name, data_type, character_maximum_length, is_nullable, character_set_name, collation_name, "
        "extra "
        "FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
        where, [&](const mysql_row& row) {
            mysql_column column;
            column.type = lower_case(row.text(2).value_or(""));
            column.length = row.number(3).value_or(0);
            column.nullable = row.text(4).value_or("YES") == "YES";
            column.charset = row.text(5).value_or("");
            column.collation = row.text(6).value_or("");
            column.numbers_itself = lower_case(row.text(7).value_or("")).find("auto_increment") != std::string::npos;
            schema.columns[lower_case(row.text(1).value_or(""))] = column;
        });
    session.query(
        "SELECT index_name, column_name FROM information_schema.statistics "
        "WHERE table_schema = ? AND table_name = ? AND sub_part IS NULL ORDER BY index_name, seq_in_index",
        where, [&](const mysql_row& row) {
            schema.indexes[row.text(1).value_or("")].push_back(lower_case(row.text(2).value_or("")));
        });
    return schema;
}

}  // namespace outbox
