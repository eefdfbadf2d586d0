#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>

#include "outbox/mysql_doctor.hpp"

namespace outbox {
namespace {

constexpr std::int64_t clock_tolerance_ms = 2'000;
constexpr std::int64_t small_packet = 4 * 1024 * 1024;

using variables = std::map<std::string, std::string>;

variables read_variables(mysql_session& session) {
    variables all;
    session.query_text(
        "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'innodb_read_only', "
        "'innodb_flush_log_at_trx_commit', 'max_allowed_packet', 'log_bin', 'binlog_format', 'sql_mode')",
        [&](const mysql_row& row) { all[row.text(1).value_or("")] = row.text(2).value_or(""); });
    return all;
}

std::string one_text(mysql_session& session, const std::string& sql) {
    std::string text;
    session.query_text(sql, [&](const mysql_row& row) { text = row.text(1).value_or(""); });
    return text;
}

// "10.11.6-MariaDB-0+deb12u1" → {10, 11, 6}
std::array<int, 3> parts(const std::string& version) {
    std::array<int, 3> numbers{};
    const char* at = version.data();
    const char* const end = at + version.size();
    for (auto& number : numbers) {
        const auto read = std::from_chars(at, end, number);
        if (read.ec != std::errc{} || read.ptr == end) break;
        at = read.ptr + 1;
    }
    return numbers;
}

void examine_version(mysql_session& session, findings& to) {
    const auto version = session.server_version();
    const bool maria = session.is_mariadb();
    const auto oldest = maria ? std::array{10, 2, 1} : std::array{8, 0, 13};
    const auto found = maria ? "MariaDB " + version.substr(0, version.find('-')) : "MySQL " + version;
    if (parts(version) >= oldest) return to.good("server", found);
    to.advise("server", found,
              "The table that `migrate` creates needs MariaDB 10.2.1 or MySQL 8.0.13: its columns have expressions as "
              "defaults. A table of your own with the nine columns works.");
}

void examine_tls(mysql_session& session, bool far_away, findings& to) {
    if (const auto& cipher = session.cipher(); !cipher.empty()) return to.good("encryption", "TLS, " + cipher);
    if (!far_away) return to.good("encryption", "none; the server is on this machine");
    to.advise("encryption", "none: anyone on the way to the server can read the messages and change them",
              "Set database.tls.mode: required.");
}

void examine_isolation(mysql_session& session, const variables& server, findings& to) {
    const auto level = one_text(
        session, session.is_mariadb() ? "SELECT @@session.tx_isolation" : "SELECT @@session.transaction_isolation");
    const auto of = [&](const char* name) { return server.contains(name) ? server.at(name) : std::string(); };
    if (level != "READ-COMMITTED")
        to.problem("isolation", "this session runs " + level,
                   "Something between the sidecar and the server undoes what a session sets: connect directly.");
    else if (of("log_bin") == "ON" && of("binlog_format") == "STATEMENT")
        to.problem("isolation", "READ-COMMITTED, which can't write while the server's binlog_format is STATEMENT",
                   "Change the server's format, also in its configuration file.",
                   "SET GLOBAL binlog_format = 'MIXED';");
    else
        to.good("isolation", level);
}

void examine_clock(mysql_session& session, findings& to) {
    using namespace std::chrono;
    const auto here = [] { return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count(); };
    const auto before = here();
    std::int64_t there = 0;
    session.query_text(fmt::format("SELECT {}", mysql_now),
                       [&](const mysql_row& row) { there = row.number(1).value_or(0); });
    const auto ahead = there - (before + (here() - before) / 2);
    if (std::abs(ahead) <= clock_tolerance_ms)
        return to.good("clock", fmt::format("the server's and this machine's differ by {} ms", std::abs(ahead)));
    to.advise("clock",
              fmt::format("the server's clock is {} ms {} this machine's", std::abs(ahead),
                          ahead > 0 ? "ahead of" : "behind"),
              "The relay goes by the server's clock alone. Applications that set next_try_time by their own should use "
              "the server's too, or NTP should run on both.");
}

void examine_variables(const variables& server, findings& to) {
    const auto of = [&](const char* name) { return server.contains(name) ? server.at(name) : std::string(); };
    if (const auto flush = of("innodb_flush_log_at_trx_commit"); flush == "1")
        to.good("durability", "innodb_flush_log_at_trx_commit is 1");
    else
        to.advise("durability",
                  fmt::format("innodb_flush_log_at_trx_commit is {}: a power cut can lose about a second of committed "
                              "transactions, messages included",
                              flush),
                  "Set it to 1, also in the server's configuration file.",
                  "SET GLOBAL innodb_flush_log_at_trx_commit = 1;");

    std::int64_t packet = 0;
    const auto text = of("max_allowed_packet");
    std::from_chars(text.data(), text.data() + text.size(), packet);
    const auto found = fmt::format("max_allowed_packet is {} KiB; no larger row can be written or read", packet / 1024);
    if (packet >= small_packet)
        to.good("message size", found);
    else
        to.advise("message size", found, "Raise it if messages can become larger.",
                  "SET GLOBAL max_allowed_packet = 67108864;");

    if (const auto mode = of("sql_mode");
        mode.find("STRICT_TRANS_TABLES") == mode.npos && mode.find("STRICT_ALL_TABLES") == mode.npos)
        to.advise("strictness",
                  "sql_mode is not strict: a body that is too long for its column is cut off without an error when an "
                  "application inserts it",
                  "Make the server, or the applications' sessions, strict.",
                  "SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES');");
}

bool examine_read_only(const variables& server, findings& to) {
    for (const char* name : {"read_only", "super_read_only", "innodb_read_only"}) {
        const auto found = server.find(name);
        // MariaDB has more levels of it than on and off.
        if (found == server.end() || found->second == "OFF" || found->second == "0") continue;
        to.problem(
            "writing",
            fmt::format("the server is read-only ({} is {}): nothing can be recorded there", name, found->second),
            "Let database.url name the server that is written to, not a replica.");
        return false;
    }
    return true;
}

// "outbox@%" → 'outbox'@'%'
std::string quoted_account(const std::string& account) {
    const auto at = account.rfind('@');
    if (at == std::string::npos) return "'" + account + "'";
    return fmt::format("'{}'@'{}'", account.substr(0, at), account.substr(at + 1));
}

// Nullopt: allowed; otherwise what the server said.
std::optional<std::string> refusal(mysql_session& session, const std::string& statement) {
    try {
        session.query_text("EXPLAIN " + statement, [](const mysql_row&) {});
        return std::nullopt;
    } catch (const store_error& error) {
        return error.what();
    }
}

}  // namespace

bool examine_server(mysql_session& session, bool far_away, findings& to) {
    examine_version(session, to);
    examine_tls(session, far_away, to);
    const auto server = read_variables(session);
    const bool writable = examine_read_only(server, to);
    examine_isolation(session, server, to);
    examine_clock(session, to);
    examine_variables(server, to);
    return writable;
}

bool examine_rights(mysql_session& session, const examined_table& table, bool deletes, findings& to) {
    const auto account = quoted_account(one_text(session, "SELECT CURRENT_USER()"));
    const std::string last_error = table.schema.has("last_error") ? ", last_error = ''" : "";
    const auto no_select = refusal(session, fmt::format("SELECT * FROM {} LIMIT 1", table.quoted));
    const auto no_update =
        refusal(session, fmt::format("UPDATE {} SET status = 1, try_count = 0, next_try_time = 0, update_time = 0{} "
                                     "WHERE id = '' AND status = 0",
                                     table.quoted, last_error));
    const auto no_delete = refusal(session, fmt::format("DELETE FROM {} WHERE id = '' AND status = 1", table.quoted));

    std::vector<std::string> missing, said;
    const auto note = [&](const char* right, const std::optional<std::string>& refused) {
        if (!refused) return;
        missing.emplace_back(right);
        said.push_back(*refused);
    };
    note("SELECT", no_select);
    note("UPDATE", no_update);
    const bool relay_works = missing.empty() && !(deletes && no_delete);
    note("DELETE", no_delete);

    if (missing.empty()) {
        to.good("rights", account + " has SELECT, UPDATE and DELETE");
        return true;
    }
    const auto found = fmt::format("{} may not {}: {}", account, fmt::join(missing, ", "), said.front());
    const auto grant = fmt::format("GRANT {} ON {} TO {};", fmt::join(missing, ", "), table.quoted, account);
    if (relay_works)
        to.advise("rights", found, "Purging needs it. As an administrator:", grant);
    else
        to.problem("rights", found, "As an administrator:", grant);
    return !no_select;
}

void examine_ledger(mysql_session& session, const examined_table& ledger, bool used, findings& to) {
    const std::string subject = "failure ledger";
    if (ledger.schema.columns.empty())
        return to.advise(subject, fmt::format("there is no table {}, or no right to it", ledger.quoted),
                         "Messages that fail for good are recorded in the outbox alone. `outbox-sidecar migrate` makes "
                         "the table.");
    if (!used)
        return to.advise(subject, fmt::format("{} lacks columns of a ledger, and is not used", ledger.quoted),
                         "`outbox-sidecar migrate --print` shows the columns.");
    const auto no_insert =
        refusal(session, fmt::format("INSERT INTO {0} SELECT * FROM {0} WHERE id = 0", ledger.quoted));
    const auto no_update = refusal(session, fmt::format("UPDATE {} SET retry = 0 WHERE id = 0", ledger.quoted));
    if (!no_insert && !no_update) return to.good(subject, ledger.quoted);
    const auto account = quoted_account(one_text(session, "SELECT CURRENT_USER()"));
    to.advise(subject, fmt::format("{} can't be written: {}", ledger.quoted, no_insert ? *no_insert : *no_update),
              "Failures can't be filed there, or not retried from there. As an administrator:",
              fmt::format("GRANT SELECT, INSERT, UPDATE ON {} TO {};", ledger.quoted, account));
}

void examine_lanes(mysql_session& session, const std::string& lane_table, bool there, findings& to) {
    const std::string subject = "several sidecars";
    if (!there)
        return to.advise(
            subject, fmt::format("there is no table {}, or no right to it", lane_table),
            "Run only one sidecar: each would send every message. `outbox-sidecar migrate` makes the table.");
    for (const auto* statement : {"SELECT * FROM {} LIMIT 1", "INSERT INTO {0} SELECT * FROM {0} WHERE lane = -2",
                                  "UPDATE {} SET epoch = 0 WHERE lane = -2", "DELETE FROM {} WHERE lane = -2"}) {
        const auto refused = refusal(session, fmt::format(fmt::runtime(statement), lane_table));
        if (!refused) continue;
        const auto account = quoted_account(one_text(session, "SELECT CURRENT_USER()"));
        return to.problem(subject, fmt::format("{} can't be used: {}", lane_table, *refused),
                          "No lane can be taken, so nothing is relayed. As an administrator:",
                          fmt::format("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {};", lane_table, account));
    }
    to.good(subject, fmt::format("they share the outbox by {}", lane_table));
}

}  // namespace outbox
