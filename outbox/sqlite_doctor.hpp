#pragma once
// outbox/sqlite_doctor.hpp - the parts of soci_store::examine() on SQLite. Each changes nothing, and throws what
// soci_session throws.

#include <string>

#include "outbox/findings.hpp"
#include "outbox/soci_session.hpp"
#include "outbox/table_schema.hpp"

namespace outbox {

struct sqlite_table {
    std::string quoted;
    std::string name;
    table_schema schema;
};

/// The library, the file and where it lies.
void examine_sqlite_file(soci_session& session, const std::string& file, findings& to);
/// Columns, indexes, triggers and rows.
void examine_sqlite_table(soci_session& session, const sqlite_table& table, findings& to);
void examine_sqlite_plan(soci_session& session, const std::string& what, const std::string& sql,
                         const std::string& pays, findings& to);

}  // namespace outbox
