#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "outbox/migrations.hpp"
#include "outbox/mysql_doctor.hpp"

namespace outbox {
namespace {

// A column's or an index's line in the migrations, so that the advice is what `migrate` would have done.
std::string definition(const std::string& start) {
    for (const auto& one : mysql_migrations()) {
        std::istringstream lines(one.sql);
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            std::string text;
            for (std::string word; words >> word;) text += (text.empty() ? "" : " ") + word;
            if (!text.starts_with(start)) continue;
            if (text.ends_with(',')) text.pop_back();
            return text;
        }
    }
    return start;
}

std::string add_columns(const examined_table& table, const std::vector<std::string>& names) {
    std::vector<std::string> parts;
    for (const auto& name : names) parts.push_back("ADD COLUMN " + definition("`" + name + "`"));
    return fmt::format("ALTER TABLE {} {};", table.quoted, fmt::join(parts, ", "));
}

const std::set<std::string, std::less<>> texts = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"};
const std::set<std::string, std::less<>> bytes = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"};
const std::set<std::string, std::less<>> integers = {"tinyint", "smallint", "mediumint", "int", "bigint"};

bool is_text(const std::string& type) { return texts.contains(type) || bytes.contains(type); }

// A definition that differs from what the column is in its type alone.
std::string modified(const examined_table& table, const std::string& name, const std::string& type) {
    const auto& column = table.schema.columns.at(name);
    const auto charset = column.charset.empty() ? "" : fmt::format(" CHARACTER SET {}", column.charset);
    return fmt::format("ALTER TABLE {} MODIFY COLUMN `{}` {}{} {};", table.quoted, name, type, charset,
                       column.nullable ? "NULL" : "NOT NULL");
}

void examine_types(const examined_table& table, findings& to) {
    std::vector<std::string> wrong;
    const auto expect = [&](const char* name, bool right, const char* wanted) {
        if (!right)
            wrong.push_back(fmt::format("{} is {} and should be {}", name, table.schema.columns.at(name).type, wanted));
    };
    const auto type = [&](const char* name) -> const std::string& { return table.schema.columns.at(name).type; };
    for (const char* name : {"id", "exchange", "routing_key"}) expect(name, is_text(type(name)), "varchar(255)");
    expect("msg", is_text(type("msg")) || type("msg") == "json", "longtext, longblob or json");
    for (const char* name : {"status", "try_count"}) expect(name, integers.contains(type(name)), "int");
    for (const char* name : {"next_try_time", "create_time", "update_time"})
        expect(name, type(name) == "bigint", "bigint, for milliseconds since 1970");
    for (const char* name : {"headers", "properties"}) {
        if (table.schema.has(name)) expect(name, is_text(type(name)) || type(name) == "json", "json");
    }
    for (const char* name : {"order_key", "last_error"}) {
        if (table.schema.has(name)) expect(name, is_text(type(name)), "varchar");
    }
    if (wrong.empty()) return to.good("column types", "as they should be");
    to.problem("column types", fmt::format("{}", fmt::join(wrong, "; ")),
               "Change them; `outbox-sidecar migrate --print` shows each as it should be.");
}

void examine_widths(const examined_table& table, findings& to) {
    const auto& msg = table.schema.columns.at("msg");
    const std::set<std::string, std::less<>> narrow = {"char",   "varchar",   "tinytext", "text",
                                                       "binary", "varbinary", "tinyblob", "blob"};
    if (narrow.contains(msg.type))
        to.advise("width of msg",
                  fmt::format("{} holds {} {} at most", msg.type, msg.length,
                              msg.type.ends_with("char") ? "characters" : "bytes"),
                  "If messages can become longer:",
                  modified(table, "msg", bytes.contains(msg.type) ? "longblob" : "longtext"));
    if (const auto& type = table.schema.columns.at("try_count").type; type == "tinyint" || type == "smallint")
        to.advise("width of try_count", fmt::format("{} can't count beyond {}", type, type == "tinyint" ? 127 : 32'767),
                  "If retry.max_retries is to be larger:",
                  fmt::format("ALTER TABLE {} MODIFY COLUMN {};", table.quoted, definition("`try_count`")));
}

void examine_optional_columns(const examined_table& table, findings& to) {
    static const std::array<std::pair<std::string, const char*>, 4> optional = {{
        {"headers", "AMQP headers"},
        {"properties", "priority, expiration, correlation id and the like"},
        {"order_key", "order by key"},
        {"last_error", "why the last attempt failed"},
    }};
    std::vector<std::string> missing, purposes;
    for (const auto& [name, purpose] : optional) {
        if (table.schema.has(name)) continue;
        missing.push_back(name);
        purposes.push_back(fmt::format("{} ({})", name, purpose));
    }
    if (missing.empty()) return to.good("optional columns", "all there");
    to.advise("optional columns", fmt::format("not there: {}", fmt::join(purposes, ", ")),
              "Nothing is wrong without them. To have them:", add_columns(table, missing));
}

}  // namespace

bool examine_columns(const examined_table& table, findings& to) {
    if (const auto missing = table.schema.missing(); !missing.empty()) {
        to.problem("columns", fmt::format("missing: {}", fmt::join(missing, ", ")),
                   "The relay can't work without them:", add_columns(table, missing));
        return false;
    }
    to.good("columns", "all nine of the contract");
    examine_types(table, to);
    examine_widths(table, to);
    examine_optional_columns(table, to);
    return true;
}

void examine_charsets(const examined_table& table, findings& to) {
    std::vector<std::string> narrow;
    for (const char* name : {"id", "msg", "exchange", "routing_key", "headers", "properties", "last_error"}) {
        const auto found = table.schema.columns.find(name);
        if (found == table.schema.columns.end() || found->second.charset.empty()) continue;
        if (const auto& charset = found->second.charset; charset != "utf8mb4" && charset != "binary")
            narrow.push_back(fmt::format("{}: {}", name, charset));
    }
    if (narrow.empty()) return to.good("charset", "every character can be stored");
    to.advise("charset", fmt::format("not every character can be stored, emoji for one ({})", fmt::join(narrow, ", ")),
              "Convert the table. It is locked for writing meanwhile, so choose the time:",
              fmt::format("ALTER TABLE {} CONVERT TO CHARACTER SET utf8mb4, ROW_FORMAT = DYNAMIC;", table.quoted));
}

void examine_indexes(mysql_session& session, const examined_table& table, findings& to) {
    std::vector<std::string> unique;  // on id alone
    session.query(
        "SELECT index_name FROM information_schema.statistics WHERE table_schema = ? AND table_name = ? GROUP BY "
        "index_name HAVING COUNT(*) = 1 AND MAX(non_unique) = 0 AND LOWER(MAX(column_name)) = 'id' AND MAX(sub_part) "
        "IS "
        "NULL ORDER BY index_name = 'PRIMARY' DESC",
        std::array<mysql_value, 2>{std::string_view(table.database), std::string_view(table.name)},
        [&](const mysql_row& row) { unique.push_back(row.text(1).value_or("")); });
    const bool primary = !unique.empty() && unique.front() == "PRIMARY";
    const bool other_primary = !primary && table.schema.indexes.contains("PRIMARY");
    if (primary)
        to.good("primary key", "id");
    else
        to.problem("primary key",
                   unique.empty() ? "id is not unique: one message's outcome would be recorded in another's row"
                                  : "id is unique, but is not the primary key, by which outcomes are recorded",
                   "Make it the primary key:",
                   fmt::format("ALTER TABLE {} {}ADD PRIMARY KEY (`id`);", table.quoted,
                               other_primary ? "DROP PRIMARY KEY, " : ""));
    for (const auto& name : unique) {
        if (primary && name != "PRIMARY")
            to.advise("index " + name, "is unique on id, which the primary key is already; each INSERT pays for it",
                      "Remove it:", fmt::format("ALTER TABLE {} DROP KEY `{}`;", table.quoted, name));
    }
    if (!table.schema.has("status")) return;
    const auto wanted = [&](const char* subject, const char* column, const char* name, const char* found) {
        if (const auto index = table.schema.index_on({"status", column}); !index.empty())
            return to.good(subject, index);
        to.advise(subject, found, "Add it. Applications can go on inserting meanwhile:",
                  fmt::format("ALTER TABLE {} ADD {};", table.quoted, definition(fmt::format("KEY `{}`", name))));
    };
    wanted("index for due rows", "next_try_time", "msg_log_due",
           "there is none on (status, next_try_time): each look at the table reads all of it");
    wanted("index for purging", "update_time", "msg_log_purge",
           "there is none on (status, update_time): purging reads the whole table for each batch");
}

void examine_storage(mysql_session& session, const examined_table& table, findings& to) {
    const std::array<mysql_value, 2> which = {std::string_view(table.database), std::string_view(table.name)};
    std::string engine;
    session.query("SELECT engine FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", which,
                  [&](const mysql_row& row) { engine = row.text(1).value_or("none: it is a view"); });
    if (engine == "InnoDB")
        to.good("engine", engine);
    else
        to.problem(
            "engine",
            fmt::format("{}: it is not known to have transactions, and without them a message can be lost, or be "
                        "sent though its transaction rolled back",
                        engine),
            "Move it:", fmt::format("ALTER TABLE {} ENGINE = InnoDB;", table.quoted));

    std::vector<std::string> triggers;
    session.query(
        "SELECT trigger_name, event_manipulation FROM information_schema.triggers WHERE event_object_schema = "
        "? AND event_object_table = ?",
        which, [&](const mysql_row& row) {
            triggers.push_back(fmt::format("{} on {}", row.text(1).value_or(""), row.text(2).value_or("")));
        });
    if (!triggers.empty())
        to.advise(
            "triggers", fmt::format("{}", fmt::join(triggers, ", ")),
            "Those on UPDATE and DELETE run for every message that is settled or purged: keep them cheap, and sure "
            "to succeed.");
}

}  // namespace outbox
