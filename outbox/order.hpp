#pragma once
// outbox/order.hpp - what a table needs for its messages to be relayed in order of their keys.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/table_schema.hpp"

namespace outbox {

/// An index on these finds the first unsettled row of a key without looking at any other.
const std::vector<std::string>& order_index();

/// Why no order can be kept, and what to apply, in one line; nullopt: it can. `kind` is the database's folder in
/// schema/, `quoted` the table's name.
std::optional<std::string> order_hindrance(const table_schema& schema, std::string_view quoted, std::string_view kind);

/// Due rows that the count of blocked keys looks at, at most: those that have been due the longest, among which the
/// blocked ones are.
inline constexpr std::size_t order_rows_looked_at = 10'000;

}  // namespace outbox
