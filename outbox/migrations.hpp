#pragma once
// outbox/migrations.hpp - the files of schema/, which are compiled in, for the table names `msg_log` and
// `msg_lane`.

#include <string>
#include <string_view>
#include <vector>

#include "outbox/store.hpp"

namespace outbox {

/// Those of schema/mysql/ and its neighbours, in order.
const std::vector<migration>& mysql_migrations();
const std::vector<migration>& postgresql_migrations();
const std::vector<migration>& sqlite_migrations();

/// A script's statements. Each ends in ";" at the end of a line, as the files in schema/ are written.
std::vector<std::string> statements_of(const std::string& script);

void replace_all(std::string& text, std::string_view from, std::string_view to);

}  // namespace outbox
