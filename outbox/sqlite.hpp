#pragma once
// outbox/sqlite.hpp - the store on SQLite. sqlite_driver.cpp is the only file that knows its C interface.

#include <memory>
#include <string>

#include "conf/settings.hpp"
#include "outbox/soci_dialect.hpp"
#include "outbox/soci_driver.hpp"

namespace outbox {

/// The path of the file that the url names. Throws std::invalid_argument where there can be no database: the folder is
/// not there, the path is no file's, or settings are given that a file has no use for. Opens nothing.
std::string sqlite_file(const conf::database& settings);

std::unique_ptr<soci_driver> make_sqlite_driver(const std::string& file, const conf::database& settings);

std::unique_ptr<soci_dialect> make_sqlite_dialect(const conf::database& settings);

}  // namespace outbox
