#pragma once
// test/integration/rows.hpp - rows of any shape put into a scene's table, relayed, and fetched from its queue.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "test/support/relaying.hpp"

namespace rows {

/// Columns and their values, as SQL expressions.
using columns = std::map<std::string, std::string>;

/// Inserts a row that is due at once and goes to the scene's queue, but for what `others` says.
void put(support::scene& here, const std::string& id, const columns& others = {});
void put_into(support::database& by, support::scene& here, const std::string& id, const columns& others = {});

/// Relays until `count` rows have status 1, then takes what is in the queue.
std::vector<support::received> relayed(support::scene& here, std::size_t count,
                                       const std::function<void(conf::settings&)>& change = {});
/// Likewise for a single row: its message.
support::received only(support::scene& here, const std::function<void(conf::settings&)>& change = {});

/// The database's clock, in SQL.
inline const std::string now = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

}  // namespace rows
