#include "outbox/sqlite_doctor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace outbox {
namespace {

// Reading a larger file from end to end would be a burden.
constexpr std::uint64_t read_in_full = 256 * 1024 * 1024;
constexpr std::uint64_t little_space = 256 * 1024 * 1024;
constexpr std::int64_t large_log = 64 * 1024 * 1024;

std::string one_text(soci_session& session, const std::string& sql) {
    std::string text;
    session.query_text(sql, 1, [&](const sql_row& row) { text = row.text(1).value_or(""); });
    return text;
}

void examine_modes(soci_session& session, findings& to) {
    if (const auto mode = one_text(session, "PRAGMA journal_mode"); mode == "wal")
        to.good("journal mode", mode);
    else
        to.advise("journal mode",
                  mode + ": while the relay reads, no application's transaction can end, and conversely",
                  "Change it once, for good; it stays in the file:", "PRAGMA journal_mode = WAL;");
    if (one_text(session, "PRAGMA synchronous") == "2")
        to.good("durability", "synchronous is FULL here; each application sets its own");
    else
        to.problem("durability", "this connection does not run with synchronous = FULL",
                   "The SQLite library is built in an unusual way: use the distribution's.");
}

void examine_integrity(soci_session& session, std::uint64_t size, findings& to) {
    if (size > read_in_full)
        return to.good("integrity", fmt::format("not looked at, as the file has {} MiB; `PRAGMA quick_check` does it",
                                                size / 1024 / 1024));
    std::vector<std::string> faults;
    session.query_text("PRAGMA quick_check(3)", 1,
                       [&](const sql_row& row) { faults.push_back(row.text(1).value_or("")); });
    if (faults == std::vector<std::string>{"ok"}) return to.good("integrity", "quick_check finds nothing");
    to.problem("integrity", fmt::format("{}", fmt::join(faults, "; ")),
               "The file is damaged. Stop all that use it, and restore a backup, or save what can be saved with "
               "`.recover` of the sqlite3 shell.");
}

// Locks and shared memory, which SQLite needs, do not work over them, or not reliably.
void examine_place(const std::string& file, findings& to) {
    static constexpr std::array<std::pair<unsigned long, const char*>, 6> networks = {{{0x6969, "NFS"},
                                                                                       {0x517B, "SMB"},
                                                                                       {0xFE534D42, "SMB"},
                                                                                       {0xFF534D42, "CIFS"},
                                                                                       {0x01021997, "9P"},
                                                                                       {0x00C36400, "Ceph"}}};
    struct statfs system {};
    if (::statfs(file.c_str(), &system) == 0) {
        const auto type = static_cast<unsigned long>(system.f_type) & 0xFFFFFFFF;
        const auto found =
            std::find_if(networks.begin(), networks.end(), [&](const auto& one) { return one.first == type; });
        if (found != networks.end())
            to.problem("place", fmt::format("{} lies on a network's file system ({})", file, found->second),
                       "SQLite's locks do not hold there, and the file may be damaged. Move it to a disk of this "
                       "machine.");
    }
    struct statvfs space {};
    if (::statvfs(file.c_str(), &space) != 0) return;
    const auto free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    const auto found = fmt::format("{} MiB free", free / 1024 / 1024);
    if (free < little_space)
        to.advise("disk", found, "When the disk is full, applications can't insert, and nothing can be recorded.");
    else
        to.good("disk", found);
}

void examine_rights(const std::string& file, findings& to) {
    struct stat is {};
    if (::stat(file.c_str(), &is) != 0) return;
    if ((is.st_mode & S_IWOTH) != 0)
        return to.advise("rights", fmt::format("{} can be changed by everyone on this machine", file),
                         fmt::format("chmod o-w {}", file));
    to.good("rights", "can be read and written");
}

void examine_log(const std::string& file, findings& to) {
    std::error_code missing;
    const auto size = std::filesystem::file_size(file + "-wal", missing);
    if (missing || static_cast<std::int64_t>(size) < large_log) return;
    to.advise(
        "write-ahead log",
        fmt::format("{}-wal has {} MiB: somebody reads for so long that it can't be emptied", file, size / 1024 / 1024),
        "Look for an application that leaves a SELECT or a transaction open.");
}

void examine_columns(const sqlite_table& table, findings& to) {
    if (const auto missing = table.schema.missing(); !missing.empty())
        return to.problem("columns", fmt::format("missing: {}", fmt::join(missing, ", ")),
                          "The relay can't work without them; `outbox-sidecar migrate --print` shows how each should "
                          "be.");
    to.good("columns", "all nine of the contract");
    std::vector<std::string> wrong;
    for (const char* name : {"status", "try_count", "next_try_time", "create_time", "update_time"}) {
        const auto& type = table.schema.columns.at(name).type;
        if (type.find("int") == type.npos) wrong.push_back(fmt::format("{} is {}", name, type.empty() ? "any" : type));
    }
    if (!wrong.empty())
        to.problem("column types", fmt::format("{}", fmt::join(wrong, "; ")),
                   "They should be INTEGER, or SQLite compares numbers with texts.");
    std::vector<std::string> missing;
    for (const char* name : {"headers", "properties", "order_key", "last_error"}) {
        if (!table.schema.has(name)) missing.emplace_back(name);
    }
    if (missing.empty()) return to.good("optional columns", "all there");
    std::string sql;
    for (const auto& name : missing)
        sql += fmt::format("{}ALTER TABLE {} ADD COLUMN {} text;", sql.empty() ? "" : "\n", table.quoted, name);
    to.advise("optional columns", fmt::format("not there: {}", fmt::join(missing, ", ")),
              "Nothing is wrong without them. To have them:", sql);
}

void examine_indexes(soci_session& session, const sqlite_table& table, findings& to) {
    if (!table.schema.has("id") || !table.schema.has("status")) return;
    bool unique = false;
    session.query_text(fmt::format("SELECT 1 FROM pragma_table_info('{0}') WHERE lower(name) = 'id' AND pk = 1 AND "
                                   "(SELECT MAX(pk) FROM pragma_table_info('{0}')) = 1 UNION ALL "
                                   "SELECT 1 FROM pragma_index_list('{0}') AS i WHERE i.\"unique\" AND NOT i.partial "
                                   "AND (SELECT group_concat(lower(name)) FROM pragma_index_info(i.name)) = 'id'",
                                   table.name),
                       1, [&](const sql_row&) { unique = true; });
    if (unique)
        to.good("unique id", "yes");
    else
        to.problem("unique id", "id is not unique: one message's outcome would be recorded in another's row",
                   "Add an index:", fmt::format("CREATE UNIQUE INDEX \"{}_id\" ON {} (id);", table.name, table.quoted));
    const auto wanted = [&](const char* subject, const std::string& column, const char* suffix, const char* found) {
        if (const auto index = table.schema.index_on({"status", column, "id"}); !index.empty())
            return to.good(subject, index);
        to.advise(
            subject, found, "Add it. Applications wait meanwhile, so choose the time:",
            fmt::format("CREATE INDEX \"{}_{}\" ON {} (status, {}, id);", table.name, suffix, table.quoted, column));
    };
    wanted("index for due rows", "next_try_time", "due",
           "there is none on (status, next_try_time, id): each look at the table reads or sorts too much of it");
    wanted("index for purging", "update_time", "purge",
           "there is none on (status, update_time, id): purging reads the whole table for each batch");
}

void examine_rows(soci_session& session, const sqlite_table& table, findings& to) {
    const auto count = [&](const std::string& condition) {
        std::int64_t rows = 0;
        session.query_text(
            fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} WHERE {} LIMIT 1000)", table.quoted, condition), 1,
            [&](const sql_row& row) { rows = row.number(1).value_or(0); });
        return rows;
    };
    const bool bytes = table.schema.columns.at("id").type.find("blob") != std::string::npos;
    bool fine = true;
    const auto complain = [&](const std::string& condition, const char* found, const char* advice) {
        const auto rows = count(condition);
        if (rows == 0) return;
        fine = false;
        to.problem("rows", fmt::format("{}{} {}", rows == 1000 ? "at least " : "", rows, found), advice);
    };
    std::uint64_t size = 0;
    session.query_text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", 1,
                       [&](const sql_row& row) { size = static_cast<std::uint64_t>(row.number(1).value_or(0)); });
    if (table.schema.index_on({"status"}).empty() && size > read_in_full)
        return to.advise("rows", "not looked at, as there is no index to do it by", "Add the indexes, see above.");
    complain(fmt::format("status = 0 AND typeof(id) {}", bytes ? "<> 'blob'" : "NOT IN ('text', 'integer')"),
             bytes ? "waiting rows have an id that is not of bytes, in a column for bytes"
                   : "waiting rows have an id that is NULL, bytes or a fraction",
             "They are not sent, as their outcome could not be recorded. Give them an id of the column's kind.");
    complain("status = 0 AND next_try_time IS NOT NULL AND typeof(next_try_time) NOT IN ('integer', 'real')",
             "waiting rows have a next_try_time that is no number",
             "They are never due. Set it to milliseconds since 1970, or to NULL.");
    complain("(status < 0 OR status > 3)", "rows have a status that nobody knows",
             "They are left alone: neither sent nor purged. To have one sent, set its status to 0.");
    if (fine) to.good("rows", "none with an id, a time or a status that nobody can use");
}

void examine_triggers(soci_session& session, const sqlite_table& table, findings& to) {
    std::vector<std::string> names;
    session.query("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name COLLATE NOCASE", 1,
                  std::array<sql_value, 1>{std::string_view(table.name)},
                  [&](const sql_row& row) { names.push_back(row.text(1).value_or("")); });
    if (!names.empty())
        to.advise("triggers", fmt::format("{}", fmt::join(names, ", ")),
                  "Those on UPDATE and DELETE run for every message that is settled or purged, in the relay's "
                  "connection: keep them cheap, sure to succeed, and free of functions of your own.");
}

}  // namespace

void examine_sqlite_file(soci_session& session, const std::string& file, findings& to) {
    to.good("library", "SQLite " + one_text(session, "SELECT sqlite_version()"));
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file, ignored);
    to.good("file", fmt::format("{}, {} KiB", file, ignored ? 0 : size / 1024));
    examine_rights(file, to);
    examine_place(file, to);
    examine_modes(session, to);
    examine_log(file, to);
    examine_integrity(session, ignored ? 0 : size, to);
}

void examine_sqlite_table(soci_session& session, const sqlite_table& table, findings& to) {
    examine_columns(table, to);
    examine_indexes(session, table, to);
    examine_triggers(session, table, to);
    if (table.schema.missing().empty()) examine_rows(session, table, to);
}

void examine_sqlite_plan(soci_session& session, const std::string& what, const std::string& sql,
                         const std::string& pays, findings& to) {
    std::vector<std::string> steps;
    bool walks = false;
    session.query_text("EXPLAIN QUERY PLAN " + sql, 4, [&](const sql_row& row) {
        steps.push_back(row.text(4).value_or(""));
        walks = walks || steps.back().starts_with("SCAN") || steps.back().find("TEMP B-TREE") != std::string::npos;
    });
    const auto found = fmt::format("{}", fmt::join(steps, ", then "));
    if (!walks) return to.good(what, found);
    to.advise(what, fmt::format("{}: walks or sorts all those rows, {}", found, pays), "Add the index, see above.");
}

}  // namespace outbox
