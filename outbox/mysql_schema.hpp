#pragma once
// outbox/mysql_schema.hpp - what the table at hand looks like: which of the optional columns and indexes it has.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/mysql_session.hpp"

namespace outbox {

struct mysql_column {
    std::string type;         // "varchar", "longtext", "json", "int" …, lower case
    std::int64_t length = 0;  // characters, for text types
    bool nullable = true;
    std::string charset;  // empty for numbers and bytes
    std::string collation;
};

struct mysql_schema {
    std::map<std::string, mysql_column, std::less<>> columns;  // by lower-case name; empty: no such table
    std::map<std::string, std::vector<std::string>> indexes;   // name → lower-case columns, in order

    bool has(std::string_view column) const { return columns.find(column) != columns.end(); }
    /// The name of an index that begins with these columns; empty if there is none.
    std::string index_on(const std::vector<std::string>& first_columns) const;
    /// Those of the nine columns of the contract that are missing.
    std::vector<std::string> missing() const;
};

/// "`shop`.`msg_log`" of "shop.msg_log". The parts come from the configuration and are allow-listed there.
std::string quoted_table(const std::string& table);

mysql_schema read_mysql_schema(mysql_session& session, const std::string& table);

/// The database's clock in epoch_ms, whatever the session's time zone.
inline constexpr std::string_view mysql_now = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

}  // namespace outbox
