#pragma once
// outbox/postgresql.hpp - the store on PostgreSQL 13 and later. postgresql_driver.cpp is the only file that knows
// SOCI's backend for it, and libpq.

#include <memory>
#include <string>

#include "conf/settings.hpp"
#include "outbox/news.hpp"
#include "outbox/soci_dialect.hpp"
#include "outbox/soci_driver.hpp"

namespace outbox {

/// Whether texts of this column are ordered byte by byte.
bool is_ordered_by_bytes(const table_column& column);

/// What libpq and SOCI take to open a connection. `role` is shown in pg_stat_activity.
/// Throws std::invalid_argument for an url that can't be used.
std::string postgresql_address(const conf::database& settings, const std::string& role);

/// Nothing outlives a transaction at the server, neither settings nor prepared statements, so that connections may be
/// shared with others by a pooler. `patient`, when true, lets what is run take as long as it takes; the driver makes it
/// false at a transaction's end.
std::unique_ptr<soci_driver> make_postgresql_driver(const conf::database& settings, const std::string& role,
                                                    std::shared_ptr<bool> patient);

std::unique_ptr<soci_dialect> make_postgresql_dialect(const conf::database& settings, const std::string& role);

/// Hears what schema/postgresql/optional/notify.sql tells. Not through a pooler that shares connections.
std::unique_ptr<news> make_postgresql_news(const conf::database& settings);

}  // namespace outbox
