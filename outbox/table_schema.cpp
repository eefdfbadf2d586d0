#include "outbox/table_schema.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

namespace outbox {

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::string table_schema::index_on(const std::vector<std::string>& first_columns) const {
    for (const auto& [name, index_columns] : indexes) {
        if (index_columns.size() >= first_columns.size() &&
            std::equal(first_columns.begin(), first_columns.end(), index_columns.begin()))
            return name;
    }
    return {};
}

std::vector<std::string> table_schema::missing() const {
    static constexpr std::array contract = {"id",        "msg",           "exchange",    "routing_key", "status",
                                            "try_count", "next_try_time", "create_time", "update_time"};
    std::vector<std::string> names;
    for (const auto* name : contract) {
        if (!has(name)) names.emplace_back(name);
    }
    return names;
}

std::int64_t largest_of(const std::string& integer_type) {
    if (integer_type == "tinyint") return std::numeric_limits<std::int8_t>::max();
    if (integer_type == "smallint") return std::numeric_limits<std::int16_t>::max();
    if (integer_type == "mediumint") return (1 << 23) - 1;
    return std::numeric_limits<std::int32_t>::max();
}

std::string schema_of(const std::string& table, const std::string& otherwise) {
    const auto dot = table.find('.');
    return dot == std::string::npos ? otherwise : table.substr(0, dot);
}

std::string name_of(const std::string& table) { return table.substr(table.find('.') + 1); }

std::string beside(const std::string& table, const std::string& other) {
    return table.substr(0, table.find('.') + 1) + other;
}

}  // namespace outbox
