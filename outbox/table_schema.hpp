#pragma once
// outbox/table_schema.hpp - what the table at hand looks like: which of the optional columns and indexes it has.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace outbox {

struct table_column {
    std::string type;         // "varchar", "longtext", "json", "int" …, lower case
    std::int64_t length = 0;  // characters, for text types; 0: no bound
    bool nullable = true;
    bool numbers_itself = false;  // AUTO_INCREMENT and the like
    std::string charset;          // empty for numbers and bytes, and where a database has but one
    std::string collation;
};

struct table_schema {
    std::map<std::string, table_column, std::less<>> columns;  // by lower-case name; empty: no such table
    std::map<std::string, std::vector<std::string>> indexes;   // name → lower-case columns, in order

    bool has(std::string_view column) const { return columns.find(column) != columns.end(); }
    /// The name of an index that begins with these columns; empty if there is none.
    std::string index_on(const std::vector<std::string>& first_columns) const;
    /// Those of the nine columns of the contract that are missing.
    std::vector<std::string> missing() const;
};

// Of a table as it is configured: "msg_log", or "shop.msg_log" in another schema.
std::string schema_of(const std::string& table, const std::string& otherwise);
std::string name_of(const std::string& table);
/// "shop.other", or "other": in the schema of `table`.
std::string beside(const std::string& table, const std::string& other);

std::string lower_case(std::string text);

/// The largest value that the relay writes into a column of this type.
std::int64_t largest_of(const std::string& integer_type);

}  // namespace outbox
