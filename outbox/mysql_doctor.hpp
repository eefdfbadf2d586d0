#pragma once
// outbox/mysql_doctor.hpp - the parts of mysql_store::examine(). Each looks at one thing and changes nothing.
// They throw what mysql_session throws.

#include <string>

#include "outbox/findings.hpp"
#include "outbox/mysql_schema.hpp"
#include "outbox/mysql_session.hpp"

namespace outbox {

/// The table that is looked at.
struct examined_table {
    std::string quoted;  // `shop`.`msg_log`
    std::string database;
    std::string name;
    mysql_schema schema;
};

// mysql_doctor_server.cpp
/// Product and version, TLS, isolation, clock, and the variables that matter. Returns whether rows can be written:
/// false on a replica.
bool examine_server(mysql_session& session, bool far_away, findings& to);
/// Tries with EXPLAIN, which asks for the same rights as the statement itself. `deletes`: delivered rows are removed.
/// Returns whether the table can be read.
bool examine_rights(mysql_session& session, const examined_table& table, bool deletes, findings& to);

/// Whether failures can be filed in the ledger, and retried from it. `used`: it has the columns that are needed.
void examine_ledger(mysql_session& session, const examined_table& ledger, bool used, findings& to);
/// Whether several sidecars can share the outbox. `there`: the table of leases can be seen.
void examine_lanes(mysql_session& session, const std::string& lane_table, bool there, findings& to);

// mysql_doctor_cluster.cpp
/// What becomes of messages when another server takes over: Galera, binary log, semi-synchronous replication. Nothing
/// to say about a server that stands alone.
void examine_copies(mysql_session& session, findings& to);

// mysql_doctor_table.cpp
/// False: a column of the contract is missing, so that nothing else about the columns can be said.
bool examine_columns(const examined_table& table, findings& to);
void examine_charsets(const examined_table& table, findings& to);
void examine_indexes(mysql_session& session, const examined_table& table, findings& to);
/// Engine and triggers.
void examine_storage(mysql_session& session, const examined_table& table, findings& to);

// mysql_doctor_rows.cpp
/// How the server would run a statement; `what` names it for people, `pays` says what a walk through the table costs.
void examine_plan(mysql_session& session, const std::string& what, const std::string& sql, const std::string& pays,
                  findings& to);
/// Rows that nobody will relay, or that look wrong.
void examine_rows(mysql_session& session, const examined_table& table, findings& to);

}  // namespace outbox
