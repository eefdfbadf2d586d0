#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "conf/url.hpp"
#include "outbox/postgresql_doctor.hpp"

namespace outbox {
namespace {

constexpr std::int64_t clock_tolerance_ms = 2'000;

std::string one_text(soci_session& session, const std::string& sql) {
    std::string text;
    session.query_text(sql, 1, [&](const sql_row& row) { text = row.text(1).value_or(""); });
    return text;
}

std::string setting(soci_session& session, const std::string& name) {
    return one_text(session, fmt::format("SELECT current_setting('{}')", name));
}

void examine_tls(soci_session& session, const conf::database& settings, findings& to) {
    const auto cipher =
        one_text(session, "SELECT version || ', ' || cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl");
    if (!cipher.empty()) return to.good("encryption", cipher);
    const auto host = conf::parse_url(settings.url).host;
    if (host == "localhost" || host == "::1" || host.starts_with("127.") || host.starts_with("/"))
        return to.good("encryption", "none; the server is on this machine");
    if (settings.tls_use == conf::tls_mode::required)
        return to.advise("encryption", "TLS as far as a pooler, and none from there to the server",
                         "Have the pooler use TLS towards the server too, unless both are on one machine.");
    to.advise("encryption", "none: anyone on the way to the server can read the messages and change them",
              "Set database.tls.mode: required.");
}

void examine_writing(soci_session& session, findings& to) {
    if (setting(session, "transaction_read_only") != "on") return;
    const bool standby = one_text(session, "SELECT pg_is_in_recovery()") == "t";
    to.problem("writing",
               standby ? "the server is a standby: nothing can be recorded there"
                       : "default_transaction_read_only is on: nothing can be recorded there",
               standby ? "Let database.url name the server that is written to."
                       : "Turn it off, for this account or for the database.");
}

void examine_durability(soci_session& session, findings& to) {
    if (setting(session, "fsync") != "on")
        return to.problem("durability", "fsync is off: a power cut can damage the whole database",
                          "Turn it on; it takes a reload of the configuration.",
                          "ALTER SYSTEM SET fsync = on;\nSELECT pg_reload_conf();");
    if (const auto commit = setting(session, "synchronous_commit"); commit == "off")
        return to.advise("durability",
                         "synchronous_commit is off here: a crash can take back the last transactions. Messages whose "
                         "delivery was recorded in them are sent again, and applications that run so lose theirs",
                         "Turn it on for the database, if applications have it off too.");
    to.good("durability", "fsync and synchronous_commit are on");
}

void examine_clock(soci_session& session, const std::string& now, findings& to) {
    using namespace std::chrono;
    const auto here = [] { return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count(); };
    const auto before = here();
    std::int64_t there = 0;
    session.query_text("SELECT " + now, 1, [&](const sql_row& row) { there = row.number(1).value_or(0); });
    const auto ahead = there - (before + (here() - before) / 2);
    if (std::abs(ahead) <= clock_tolerance_ms)
        return to.good("clock", fmt::format("the server's and this machine's differ by {} ms", std::abs(ahead)));
    to.advise("clock",
              fmt::format("the server's clock is {} ms {} this machine's", std::abs(ahead),
                          ahead > 0 ? "ahead of" : "behind"),
              "The relay goes by the server's clock alone. Applications that set next_try_time by their own should use "
              "the server's too, or NTP should run on both.");
}

void examine_encoding(soci_session& session, findings& to) {
    const auto encoding = setting(session, "server_encoding");
    if (encoding == "UTF8") return to.good("encoding", "every character can be stored");
    if (encoding == "SQL_ASCII")
        return to.advise("encoding", "SQL_ASCII: the server takes any bytes for text and converts nothing",
                         "Bodies are sent as they were inserted. See to it that all applications insert UTF-8.");
    to.advise(
        "encoding", encoding + ": not every character can be stored, emoji for one",
        "Bodies are sent as UTF-8 all the same. For other characters, make `msg` bytea, or move to a database with "
        "encoding UTF8.");
}

// What VACUUM may not remove yet, because somebody might still look at it. Everyone who reads by an index walks over
// it.
void examine_horizon(soci_session& session, findings& to) {
    std::vector<std::string> holders;
    const auto collect = [&](const std::string& sql) {
        session.query_text(sql, 1, [&](const sql_row& row) { holders.push_back(row.text(1).value_or("")); });
    };
    collect(
        "SELECT format('a transaction of %s (pid %s, %s) that began %s minutes ago', usename, pid, "
        "COALESCE(NULLIF(application_name, ''), 'no name'), "
        "floor(extract(epoch FROM clock_timestamp() - xact_start) / 60)) FROM pg_stat_activity WHERE (backend_xmin IS "
        "NOT NULL OR backend_xid IS NOT NULL) AND backend_type = 'client backend' AND xact_start < clock_timestamp() - "
        "interval '10 minutes' ORDER BY xact_start LIMIT 3");
    collect(
        "SELECT format('the prepared transaction %L of %s', gid, owner) FROM pg_prepared_xacts WHERE prepared < "
        "clock_timestamp() - interval '10 minutes' ORDER BY prepared LIMIT 3");
    collect(
        "SELECT format('the replication slot %I, %s transactions behind', slot_name, age(xmin)) FROM "
        "pg_replication_slots WHERE xmin IS NOT NULL AND age(xmin) > 100000 ORDER BY age(xmin) DESC LIMIT 3");
    if (!holders.empty())
        return to.advise("history",
                         fmt::format("kept by {}: settled messages can't be cleaned up, and reading gets slower",
                                     fmt::join(holders, "; ")),
                         "End it, or move reports and dumps to a standby. To end a session: SELECT "
                         "pg_terminate_backend(pid).");
    const bool sees_all = one_text(session, "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')") == "t";
    to.good("history", sees_all ? "no transaction, slot or prepared transaction keeps old rows"
                                : "no old transaction of this account, which may not see those of others (that takes "
                                  "the role pg_read_all_stats), nor a slot or prepared transaction, keeps old rows");
}

}  // namespace

void examine_postgresql_server(soci_session& session, const conf::database& settings, const std::string& now,
                               findings& to) {
    to.good("server", "PostgreSQL " + setting(session, "server_version"));
    examine_tls(session, settings, to);
    examine_writing(session, to);
    examine_durability(session, to);
    examine_clock(session, now, to);
    examine_encoding(session, to);
    examine_horizon(session, to);
}

}  // namespace outbox
