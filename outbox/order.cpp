#include "outbox/order.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace outbox {

const std::vector<std::string>& order_index() {
    static const std::vector<std::string> columns = {"order_key", "status", "create_time", "id"};
    return columns;
}

std::optional<std::string> order_hindrance(const table_schema& schema, std::string_view quoted, std::string_view kind) {
    const auto file = fmt::format("schema/{}/optional/ordered.sql", kind);
    const auto found = schema.columns.find("order_key");
    if (found == schema.columns.end())
        return fmt::format("table {} has no column order_key, which relay.ordered needs: add it, and apply {}", quoted,
                           file);
    if (const auto& type = found->second.type; type == "bytea" || type == "json" || type == "jsonb")
        return fmt::format("relay.ordered needs an order_key of text, but in table {} it is of type {}", quoted, type);
    if (schema.index_on(order_index()).empty())
        return fmt::format("table {} has no index on ({}), which relay.ordered needs: apply {}", quoted,
                           fmt::join(order_index(), ", "), file);
    return std::nullopt;
}

}  // namespace outbox
