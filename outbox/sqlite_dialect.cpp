#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <system_error>

#include "outbox/migrations.hpp"
#include "outbox/sqlite.hpp"
#include "outbox/sqlite_doctor.hpp"

namespace outbox {
namespace {

// "VARCHAR(255)" → varchar, 255
table_column column_of(const std::string& declared) {
    table_column column;
    const auto bracket = declared.find('(');
    column.type = lower_case(declared.substr(0, bracket));
    while (column.type.ends_with(' ')) column.type.pop_back();
    if (bracket != std::string::npos)
        std::from_chars(declared.data() + bracket + 1, declared.data() + declared.size(), column.length);
    return column;
}

// Values of another kind than the column's are compared as different ones, though they read the same.
bool holds_bytes(const table_column& id) { return id.type.find("blob") != std::string::npos; }

class sqlite_dialect final : public soci_dialect {
  public:
    explicit sqlite_dialect(const conf::database& settings) : settings_(settings), file_(sqlite_file(settings)) {}

    std::unique_ptr<soci_driver> make_driver() const override { return make_sqlite_driver(file_, settings_); }

    std::string schema_folder() const override { return "sqlite"; }

    std::string quoted(const std::string& table) const override { return '"' + table + '"'; }

    table_schema read_schema(soci_session& session, const std::string& table) const override {
        const std::array<sql_value, 1> name = {table};
        table_schema schema;
        // The row's number, which SQLite makes, is a column when that alone is the key and is declared just so.
        session.query(
            "SELECT name, type, \"notnull\", pk = 1 AND MAX(pk) OVER () = 1 AND lower(type) = 'integer' "
            "FROM pragma_table_info(:name)",
            4, name, [&](const sql_row& row) {
                auto column = column_of(row.text(2).value_or(""));
                column.nullable = row.number(3) == 0;
                column.numbers_itself = row.number(4) == 1;
                schema.columns[lower_case(row.text(1).value_or(""))] = column;
            });
        // As far as an index is a plain one; behind the first column that is not, it orders nothing for us.
        session.query(
            "SELECT i.name, c.name, c.name IS NOT NULL AND NOT c.desc AND c.coll = 'BINARY' "
            "FROM pragma_index_list(:name) AS i, pragma_index_xinfo(i.name) AS c WHERE c.key = 1 AND NOT i.partial "
            "ORDER BY i.name, c.seqno",
            3, name, [&, cut = std::string()](const sql_row& row) mutable {
                const auto index = row.text(1).value_or("");
                if (row.number(3) == 0) cut = index;
                if (cut != index) schema.indexes[index].push_back(lower_case(row.text(2).value_or("")));
            });
        return schema;
    }

    bool has_table(soci_session& session, const std::string& table) const override {
        bool found = false;
        session.query("SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = :name COLLATE NOCASE", 1,
                      std::array<sql_value, 1>{table}, [&](const sql_row&) { found = true; });
        return found;
    }

    // Without statistics the planner's guess is no better and can be much worse.
    std::string by_index(const table_schema& schema, const std::vector<std::string>& columns) const override {
        auto with_id = columns;
        with_id.emplace_back("id");
        auto name = schema.index_on(with_id);
        if (name.empty()) name = schema.index_on(columns);
        return name.empty() ? std::string() : fmt::format("INDEXED BY \"{}\"", name);
    }

    // Exact: SQLite takes the time to the millisecond, and a day's fraction has room for 30 microseconds.
    std::string now() const override { return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"; }
    std::string lane(const std::string& key, unsigned lanes) const override {
        return fmt::format("outbox_crc32({}) % {}", key, lanes);
    }
    std::string size(const std::string& column, const table_column&) const override {
        return fmt::format("outbox_size({})", column);
    }
    std::string text(const std::string& column, const table_column&) const override { return column; }
    std::string comparable(const std::string& column, const table_column& is) const override {
        return fmt::format("CASE WHEN typeof({0}) {1} 'blob' THEN {0} END", column, holds_bytes(is) ? "=" : "<>");
    }
    std::string given_id(const std::string& name, const table_column& id) const override {
        return holds_bytes(id) ? fmt::format("CAST(:{} AS BLOB)", name) : ":" + name;
    }
    std::string told_apart(const table_column& id) const override {
        return holds_bytes(id) ? "typeof(id) = 'blob'" : "typeof(id) IN ('text', 'integer')";
    }

    std::string rows_of(const std::string& name, std::span<const batch_field> fields,
                        const table_column& id) const override {
        std::vector<std::string> columns;
        for (const auto& field : fields) {
            const auto value = fmt::format("json_extract(value, '$[{}]')", columns.size());
            const bool number = field.type == batch_field::kind::number;
            const bool bytes = field.type == batch_field::kind::id && holds_bytes(id);
            columns.push_back(number ? fmt::format("{} AS {}", value, field.name)
                                     : fmt::format("outbox_{}({}) AS {}", bytes ? "bytes" : "text", value, field.name));
        }
        return fmt::format("(SELECT {} FROM json_each(:{}))", fmt::join(columns, ", "), name);
    }

    std::string among(const std::string& name, const table_column& id) const override {
        static constexpr std::array ids = {batch_field{"id", batch_field::kind::id}};
        return fmt::format("id IN (SELECT id FROM {} AS given)", rows_of(name, ids, id));
    }

    // SQLite itself would not mind more, but who declared it does.
    text_room room_in(const table_column& column) const override {
        text_room room;
        room.characters =
            column.length > 0 ? static_cast<std::size_t>(column.length) : std::numeric_limits<std::size_t>::max();
        return room;
    }

    std::string bytes(const std::string& column, const table_column&) const override {
        return fmt::format("outbox_sent({})", column);
    }
    std::string given_bytes(const std::string& name) const override { return fmt::format("outbox_bytes(:{})", name); }
    std::string contains(const std::string& bytes, const std::string& given) const override {
        return fmt::format("instr({}, {}) > 0", bytes, given);
    }
    std::string start(const std::string& column, const table_column&, std::size_t size) const override {
        return fmt::format("substr(outbox_sent({}), 1, {})", column, size);
    }
    // What was declared is kept to, though SQLite itself would not mind more.
    std::string converted(const std::string& value, const table_column&, const table_column& to) const override {
        if (to.type.find("blob") != std::string::npos) return fmt::format("outbox_sent({})", value);
        if (to.length == 0) return value;
        return fmt::format("CASE WHEN length({0}) > {1} THEN substr({0}, 1, {1}) ELSE {0} END", value, to.length);
    }
    std::string datetime(const std::string& seconds) const override {
        return fmt::format("strftime('%Y-%m-%d %H:%M:%S', {}, 'unixepoch')", seconds);
    }
    std::string utc(const std::string& column) const override {
        return fmt::format("strftime('%Y-%m-%dT%H:%M:%SZ', {})", column);
    }

    std::vector<migration> migrations(const std::string& table) const override {
        auto all = sqlite_migrations();
        for (auto& one : all) {
            replace_all(one.sql, "\"msg_log\"", quoted(table));
            replace_all(one.sql, "\"msg_log_", "\"" + table + "_");  // names of indexes are one file's, not one table's
        }
        return all;
    }
    std::string script_head() const override { return "PRAGMA journal_mode = WAL;\n\n"; }
    std::string bookkeeping() const override {
        return "CREATE TABLE IF NOT EXISTS outbox_migration (\n"
               "  table_name text NOT NULL,\n"
               "  number integer NOT NULL,\n"
               "  name text NOT NULL,\n"
               "  applied_at text NOT NULL,\n"
               "  PRIMARY KEY (table_name, number)\n"
               ")";
    }
    std::string timestamp() const override { return "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"; }
    std::string applied_at() const override { return "applied_at"; }

    // Nobody else makes the file: a mistyped path is to be an error everywhere else.
    void prepare_migration(soci_session& session) override {
        const int made = ::open(file_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (made >= 0)
            ::close(made);
        else if (errno != EEXIST)
            throw store_unavailable(fmt::format("{} can't be made: {}", file_, std::generic_category().message(errno)));
        if (has_table(session, "outbox_migration")) return;  // who has changed the mode since had a reason
        write_ahead(session);
    }

    void examine_database(soci_session& session, findings& to) override { examine_sqlite_file(session, file_, to); }
    void examine_table(soci_session& session, const std::string& table, const table_schema& schema,
                       findings& to) override {
        examine_sqlite_table(session, {quoted(table), table, schema}, to);
    }
    void examine_plan(soci_session& session, const std::string& what, const std::string& sql, const std::string& pays,
                      findings& to) override {
        examine_sqlite_plan(session, what, sql, pays, to);
    }

  private:
    // Or whoever reads would keep others from writing. Of two that set it at once, one is turned away without waiting.
    static void write_ahead(soci_session& session) {
        constexpr int attempts = 10;
        for (int attempt = 1;; ++attempt) {
            try {
                return session.query_text("PRAGMA journal_mode = WAL", 1, [](const sql_row&) {});
            } catch (const store_busy&) {
                if (attempt == attempts) throw;
                session.transaction([] {});  // this waits for the other one
            }
        }
    }

    const conf::database settings_;
    const std::string file_;
};

}  // namespace

std::unique_ptr<soci_dialect> make_sqlite_dialect(const conf::database& settings) {
    return std::make_unique<sqlite_dialect>(settings);
}

}  // namespace outbox
