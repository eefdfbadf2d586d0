#pragma once
// outbox/postgresql_doctor.hpp - the parts of soci_store::examine() on PostgreSQL. Each changes nothing, and throws
// what soci_session throws.

#include <string>

#include "conf/settings.hpp"
#include "outbox/findings.hpp"
#include "outbox/soci_session.hpp"
#include "outbox/table_schema.hpp"

namespace outbox {

struct postgresql_table {
    std::string quoted;  // "shop"."msg_log"
    std::string name;    // msg_log
    table_schema schema;
};

// postgresql_doctor_server.cpp
/// Version, TLS, whether it can be written to, durability, clock, encoding, and who keeps old rows from being cleaned
/// up. `now` is the clock in SQL.
void examine_postgresql_server(soci_session& session, const conf::database& settings, const std::string& now,
                               findings& to);

// postgresql_doctor_table.cpp
/// Rights, columns, indexes, vacuum, triggers and rows. `notify`: what tells of new rows is to be there.
void examine_postgresql_table(soci_session& session, const postgresql_table& table, bool notify, findings& to);
void examine_postgresql_plan(soci_session& session, const std::string& what, const std::string& sql,
                             const std::string& pays, findings& to);

}  // namespace outbox
