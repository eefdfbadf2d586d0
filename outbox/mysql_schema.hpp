#pragma once
// outbox/mysql_schema.hpp - what the table at hand looks like on MySQL and MariaDB.

#include <string>
#include <string_view>

#include "outbox/mysql_session.hpp"
#include "outbox/table_schema.hpp"

namespace outbox {

using mysql_column = table_column;

struct mysql_schema : table_schema {
    /// How to SELECT the column: NULL where there is none, and JSON as text, as the connector can't fetch it from
    /// MySQL.
    std::string selected(std::string_view column) const;
};

/// "`shop`.`msg_log`" of "shop.msg_log". The parts come from the configuration and are allow-listed there.
std::string quoted_table(const std::string& table);

mysql_schema read_mysql_schema(mysql_session& session, const std::string& table);

/// The database's clock in epoch_ms, whatever the session's time zone.
inline constexpr std::string_view mysql_now = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";

}  // namespace outbox
