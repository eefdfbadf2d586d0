#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "outbox/postgresql.hpp"
#include "outbox/postgresql_doctor.hpp"

namespace outbox {
namespace {

constexpr std::int64_t many_dead_rows = 50'000;

using words = std::set<std::string, std::less<>>;

void examine_kind(soci_session& session, const postgresql_table& table, findings& to) {
    session.query(
        "SELECT relkind, relpersistence, CAST(relrowsecurity AS int) FROM pg_class WHERE oid = to_regclass(:name)", 3,
        std::array<sql_value, 1>{table.quoted}, [&](const sql_row& row) {
            if (row.text(2) == "u")
                to.problem("kind of table", "it is unlogged: a crash of the server empties it",
                           "Have it logged. It is rewritten, and locked meanwhile:",
                           fmt::format("ALTER TABLE {} SET LOGGED;", table.quoted));
            else if (row.text(1) != "r" && row.text(1) != "p")
                to.advise("kind of table", "it is not a table but a view, or lies elsewhere",
                          "Let database.table name the table itself.");
            if (row.number(3) == 1)
                to.advise("row security", "is enabled: rows that a policy hides from this account are never sent",
                          "See to it that the account may read and change all rows.");
        });
}

void examine_rights(soci_session& session, const postgresql_table& table, findings& to) {
    std::vector<std::string> missing;
    std::string account;
    session.query(
        "SELECT current_user, CAST(has_table_privilege(t, 'SELECT') AS int), CAST(has_table_privilege(t, 'UPDATE') AS "
        "int), CAST(has_table_privilege(t, 'DELETE') AS int) FROM CAST(to_regclass(:name) AS oid) AS t",
        4, std::array<sql_value, 1>{table.quoted}, [&](const sql_row& row) {
            account = row.text(1).value_or("");
            if (row.number(2) == 0) missing.emplace_back("SELECT");
            if (row.number(3) == 0) missing.emplace_back("UPDATE");
            if (row.number(4) == 0) missing.emplace_back("DELETE");
        });
    if (missing.empty()) return to.good("rights", account + " has SELECT, UPDATE and DELETE");
    const auto found = fmt::format("{} may not {}", account, fmt::join(missing, ", "));
    const auto grant = fmt::format("GRANT {} ON {} TO \"{}\";", fmt::join(missing, ", "), table.quoted, account);
    if (missing == std::vector<std::string>{"DELETE"})
        to.advise("rights", found, "Purging needs it. As the table's owner:", grant);
    else
        to.problem("rights", found, "As the table's owner:", grant);
}

void examine_types(const postgresql_table& table, findings& to) {
    static const words texts = {"varchar", "text", "bpchar"};
    static const words integers = {"smallint", "int", "bigint"};
    std::vector<std::string> wrong;
    const auto expect = [&](const char* name, bool right, const char* wanted) {
        if (!right)
            wrong.push_back(fmt::format("{} is {} and should be {}", name, table.schema.columns.at(name).type, wanted));
    };
    const auto type = [&](const char* name) -> const std::string& { return table.schema.columns.at(name).type; };
    expect("id", texts.contains(type("id")) || type("id") == "uuid", "varchar(255)");
    for (const char* name : {"exchange", "routing_key"}) expect(name, texts.contains(type(name)), "varchar(255)");
    expect("msg", texts.contains(type("msg")) || type("msg") == "bytea" || type("msg").starts_with("json"),
           "text, bytea or jsonb");
    for (const char* name : {"status", "try_count"}) expect(name, integers.contains(type(name)), "int");
    for (const char* name : {"next_try_time", "create_time", "update_time"})
        expect(name, type(name) == "bigint", "bigint, for milliseconds since 1970");
    for (const char* name : {"headers", "properties"}) {
        if (table.schema.has(name)) expect(name, texts.contains(type(name)) || type(name).starts_with("json"), "jsonb");
    }
    for (const char* name : {"order_key", "last_error"}) {
        if (table.schema.has(name)) expect(name, texts.contains(type(name)), "varchar");
    }
    if (wrong.empty()) return to.good("column types", "as they should be");
    to.problem("column types", fmt::format("{}", fmt::join(wrong, "; ")),
               "Change them; `outbox-sidecar migrate --print` shows each as it should be.");
}

void examine_collation(const postgresql_table& table, findings& to) {
    if (is_ordered_by_bytes(table.schema.columns.at("id"))) return;
    to.advise(
        "collation of id",
        table.schema.columns.at("id").collation +
            ": rows are read in the order of their bytes, which its indexes don't have, so that each page is sorted",
        "Change it. The index is made anew, and the table is locked meanwhile, so choose the time:",
        fmt::format("ALTER TABLE {} ALTER COLUMN id TYPE varchar(255) COLLATE \"C\";", table.quoted));
}

void examine_optional_columns(const postgresql_table& table, findings& to) {
    static constexpr std::array<std::pair<const char*, const char*>, 4> optional = {{
        {"headers", "jsonb"},
        {"properties", "jsonb"},
        {"order_key", "varchar(255) COLLATE \"C\""},
        {"last_error", "varchar(1000)"},
    }};
    std::vector<std::string> missing, parts;
    for (const auto& [name, type] : optional) {
        if (table.schema.has(name)) continue;
        missing.emplace_back(name);
        parts.push_back(fmt::format("ADD COLUMN {} {}", name, type));
    }
    if (missing.empty()) return to.good("optional columns", "all there");
    to.advise("optional columns", fmt::format("not there: {}", fmt::join(missing, ", ")),
              "Nothing is wrong without them. To have them:",
              fmt::format("ALTER TABLE {} {};", table.quoted, fmt::join(parts, ", ")));
}

void examine_indexes(soci_session& session, const postgresql_table& table, findings& to) {
    bool unique = false;
    session.query(
        "SELECT 1 FROM pg_index AS x JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] "
        "WHERE "
        "x.indrelid = to_regclass(:name) AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indnkeyatts = "
        "1 "
        "AND a.attname = 'id'",
        1, std::array<sql_value, 1>{table.quoted}, [&](const sql_row&) { unique = true; });
    if (unique)
        to.good("primary key", "id is unique");
    else
        to.problem("primary key", "id is not unique: one message's outcome would be recorded in another's row",
                   "Make it the primary key:", fmt::format("ALTER TABLE {} ADD PRIMARY KEY (id);", table.quoted));
    const auto wanted = [&](const char* subject, const std::vector<std::string>& columns, const std::string& ddl,
                            const char* found) {
        if (const auto index = table.schema.index_on(columns); !index.empty()) return to.good(subject, index);
        to.advise(subject, found, "Add it. Applications can go on inserting meanwhile:",
                  fmt::format("CREATE INDEX CONCURRENTLY \"{}_{}", table.name, ddl));
    };
    wanted("index for due rows", {"status", "next_try_time"},
           fmt::format("due\" ON {} (next_try_time, id) WHERE status = 0;", table.quoted),
           "there is none on (next_try_time, id) WHERE status = 0: each look at the table reads all of it");
    wanted("index for purging", {"status", "update_time"},
           fmt::format("purge\" ON {} (status, update_time);", table.quoted),
           "there is none on (status, update_time): purging reads the whole table for each batch");
}

void examine_vacuum(soci_session& session, const postgresql_table& table, findings& to) {
    std::int64_t live = 0, dead = 0;
    bool on = true;
    std::string last;
    session.query(
        "SELECT s.n_live_tup, s.n_dead_tup, CAST(current_setting('autovacuum') = 'on' AND NOT "
        "COALESCE('autovacuum_enabled=false' = ANY (c.reloptions), FALSE) AS int), "
        "COALESCE(to_char(greatest(s.last_autovacuum, s.last_vacuum) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI\"Z\"'), "
        "'never') FROM pg_stat_all_tables AS s JOIN pg_class AS c ON c.oid = s.relid WHERE s.relid = "
        "to_regclass(:name)",
        4, std::array<sql_value, 1>{table.quoted}, [&](const sql_row& row) {
            live = row.number(1).value_or(0);
            dead = row.number(2).value_or(0);
            on = row.number(3) == 1;
            last = row.text(4).value_or("");
        });
    const auto found = fmt::format("about {} dead rows beside {} live ones, vacuumed last: {}", dead, live, last);
    if (!on)
        return to.problem("vacuum", "autovacuum is off; " + found,
                          "Every message leaves a dead row behind, which only a vacuum removes:",
                          fmt::format("ALTER TABLE {} RESET (autovacuum_enabled);", table.quoted));
    if (dead > many_dead_rows && dead > live / 4)
        return to.advise("vacuum", "autovacuum does not keep up: " + found,
                         "Look for what keeps old rows (history, above). Then have it come sooner, and look at its "
                         "cost limits:",
                         fmt::format("ALTER TABLE {} SET (autovacuum_vacuum_scale_factor = 0.01, "
                                     "autovacuum_vacuum_threshold = 5000);\nVACUUM {};",
                                     table.quoted, table.quoted));
    to.good("vacuum", found);
}

void examine_triggers(soci_session& session, const postgresql_table& table, findings& to) {
    std::vector<std::string> names;  // of those that run on UPDATE or DELETE
    session.query(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:name) AND NOT tgisinternal AND tgenabled "
        "<> 'D' AND (tgtype & 24) <> 0",
        1, std::array<sql_value, 1>{table.quoted},
        [&](const sql_row& row) { names.push_back(row.text(1).value_or("")); });
    if (!names.empty())
        to.advise("triggers", fmt::format("{}", fmt::join(names, ", ")),
                  "They run for every message that is settled or purged: keep them cheap, and sure to succeed.");
}

// Any trigger of INSERT whose function notifies will do: what it notifies of is not looked at.
void examine_notify(soci_session& session, const postgresql_table& table, findings& to) {
    std::string name;
    session.query(
        "SELECT t.tgname FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid WHERE t.tgrelid = "
        "to_regclass(:name) AND NOT t.tgisinternal AND t.tgenabled NOT IN ('D', 'R') AND (t.tgtype & 4) <> 0 AND "
        "p.prosrc ILIKE '%notify%'",
        1, std::array<sql_value, 1>{table.quoted}, [&](const sql_row& row) { name = row.text(1).value_or(""); });
    if (!name.empty()) return to.good("database.notify", fmt::format("the trigger {} tells of new messages", name));
    to.advise("database.notify", "no trigger tells of new messages: they are found by polling alone",
              "Apply schema/postgresql/optional/notify.sql, for this table, or set database.notify: false.");
}

void examine_rows(soci_session& session, const postgresql_table& table, findings& to) {
    if (table.schema.index_on({"status", "update_time"}).empty())
        return to.advise("rows", "not looked at, as there is no index to do it by", "Add the indexes, see above.");
    std::vector<std::string> unknown;
    session.query_text(
        fmt::format("SELECT status, COUNT(*) FROM {} WHERE status < 0 OR status > 3 OR status IS NULL "
                    "GROUP BY status ORDER BY status LIMIT 10",
                    table.quoted),
        2, [&](const sql_row& row) {
            unknown.push_back(fmt::format("{} ({} rows)", row.text(1).value_or("NULL"), row.number(2).value_or(0)));
        });
    if (unknown.empty()) return to.good("rows", "none with an unknown status");
    to.advise("rows", fmt::format("with a status that nobody knows: {}", fmt::join(unknown, ", ")),
              "They are left alone: neither sent nor purged. To have one sent, set its status to 0.");
}

}  // namespace

void examine_postgresql_table(soci_session& session, const postgresql_table& table, bool notify, findings& to) {
    examine_kind(session, table, to);
    examine_rights(session, table, to);
    if (const auto missing = table.schema.missing(); !missing.empty())
        return to.problem("columns", fmt::format("missing: {}", fmt::join(missing, ", ")),
                          "The relay can't work without them; `outbox-sidecar migrate --print` shows how each should "
                          "be.");
    to.good("columns", "all nine of the contract");
    examine_types(table, to);
    examine_collation(table, to);
    examine_optional_columns(table, to);
    examine_indexes(session, table, to);
    examine_vacuum(session, table, to);
    examine_triggers(session, table, to);
    if (notify) examine_notify(session, table, to);
    examine_rows(session, table, to);
}

// Whether there is a good way at all: while a table is small, the planner rightly prefers to read it whole.
void examine_postgresql_plan(soci_session& session, const std::string& what, const std::string& sql,
                             const std::string& pays, findings& to) {
    std::string way;
    bool walks = false, sorts = false;
    session.transaction([&] {
        session.execute_text(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = "
            "off");
        session.query_text("EXPLAIN (COSTS OFF) " + sql, 1, [&](const sql_row& row) {
            auto line = row.text(1).value_or("");
            line.erase(0, std::min(line.size(), line.find_first_not_of(" ->")));
            walks = walks || line.starts_with("Seq Scan");
            sorts = sorts || line.starts_with("Sort");
            if (line.find("Scan") != line.npos && way.empty()) way = line;
        });
    });
    if (walks)
        return to.advise(what, fmt::format("the server walks through the table, {}", pays),
                         "Add the index, see above.");
    if (sorts)
        return to.advise(what, fmt::format("{}, then sorts what it finds, {}", way, pays), "Add the index, see above.");
    to.good(what, way);
}

}  // namespace outbox
