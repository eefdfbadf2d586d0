#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "outbox/migrations.hpp"
#include "outbox/postgresql.hpp"
#include "outbox/postgresql_doctor.hpp"

namespace outbox {
namespace {

// How long one `migrate` waits for another one, and then for a lock on the table, behind which everybody else's
// statements would queue up.
constexpr auto migration_turn = "60s";
constexpr auto table_lock_wait = "5s";

constexpr auto columns_of = R"(
SELECT a.attname,
       CASE base.typname WHEN 'int2' THEN 'smallint' WHEN 'int4' THEN 'int' WHEN 'int8' THEN 'bigint'
                         ELSE base.typname END,
       CASE WHEN base.typname IN ('varchar', 'bpchar') AND greatest(a.atttypmod, declared.typtypmod) > 4
            THEN greatest(a.atttypmod, declared.typtypmod) - 4 ELSE 0 END,
       CAST(NOT a.attnotnull AND NOT declared.typnotnull AS int),
       CASE WHEN a.attcollation <> 0 THEN getdatabaseencoding() END,
       CASE WHEN c.collname <> 'default' THEN c.collname
            WHEN c.collname IS NOT NULL THEN
                 -- Before version 15 there is but one provider, and no column that names it.
                 CASE COALESCE(to_jsonb(d) ->> 'datlocprovider', 'c') WHEN 'c' THEN d.datcollate WHEN 'b' THEN 'C'
                      ELSE 'icu' END END,
       CAST(a.attidentity <> '' OR EXISTS (
                SELECT 1 FROM pg_attrdef AS f WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum
                AND pg_get_expr(f.adbin, f.adrelid) LIKE 'nextval(%') AS int)
FROM pg_attribute AS a
JOIN pg_type AS declared ON declared.oid = a.atttypid
JOIN pg_type AS base ON base.oid = CASE WHEN declared.typbasetype = 0 THEN declared.oid ELSE declared.typbasetype END
JOIN pg_database AS d ON d.datname = current_database()
LEFT JOIN pg_collation AS c ON c.oid = a.attcollation
WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped)";

// An index on what is due alone is as good as one that begins with the status, and one on what is unsettled will do for
// order by key. Those that are being made are left out, and those that end in a column's expression are cut there.
constexpr auto indexes_of = R"(
SELECT i.relname, a.attname, CAST(pg_get_expr(x.indpred, x.indrelid) = '(status = 0)' AS int),
       CAST(a.attname IS NULL AS int)
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_am AS m ON m.oid = i.relam AND m.amname = 'btree'
CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
LEFT JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
WHERE x.indrelid = to_regclass(:name) AND x.indisvalid AND k.place <= x.indnkeyatts
      AND (x.indpred IS NULL OR pg_get_expr(x.indpred, x.indrelid) IN (
               '(status = 0)', '((status = ANY (ARRAY[0, 2])) AND (order_key IS NOT NULL))'))
ORDER BY i.relname, k.place)";

std::string from_hex(std::string_view digits) {
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    bytes.reserve(digits.size() / 2);
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
    return bytes;
}

// Whether texts of this database are sent as they are stored.
bool is_sent_as_stored(const table_column& column) {
    return column.charset.empty() || column.charset == "UTF8" || column.charset == "SQL_ASCII";
}

class postgresql_dialect final : public soci_dialect {
  public:
    postgresql_dialect(const conf::database& settings, std::string role)
        : settings_(settings), role_(std::move(role)) {}

    std::unique_ptr<soci_driver> make_driver() const override {
        return make_postgresql_driver(settings_, role_, patient_);
    }

    std::string schema_folder() const override { return "postgresql"; }

    std::string quoted(const std::string& table) const override {
        const auto dot = table.find('.');
        if (dot == std::string::npos) return '"' + table + '"';
        return '"' + table.substr(0, dot) + "\".\"" + table.substr(dot + 1) + '"';
    }

    table_schema read_schema(soci_session& session, const std::string& table) const override {
        const auto name = quoted(table);
        const std::array<sql_value, 1> args = {name};
        table_schema schema;
        session.query(columns_of, 7, args, [&](const sql_row& row) {
            table_column column;
            column.type = row.text(2).value_or("");
            column.length = row.number(3).value_or(0);
            column.nullable = row.number(4) == 1;
            column.charset = row.text(5).value_or("");
            column.collation = row.text(6).value_or("");
            column.numbers_itself = row.number(7) == 1;
            schema.columns[row.text(1).value_or("")] = column;
        });
        session.query(indexes_of, 4, args, [&, cut = std::string()](const sql_row& row) mutable {
            const auto index = row.text(1).value_or("");
            if (row.number(4) == 1) cut = index;
            if (cut == index) return;
            auto& columns = schema.indexes[index];
            if (columns.empty() && row.number(3) == 1) columns.emplace_back("status");
            columns.push_back(row.text(2).value_or(""));
        });
        return schema;
    }

    bool has_table(soci_session& session, const std::string& table) const override {
        const auto name = quoted(table);
        bool found = false;
        session.query("SELECT 1 WHERE to_regclass(:name) IS NOT NULL", 1, std::array<sql_value, 1>{name},
                      [&](const sql_row&) { found = true; });
        return found;
    }

    // PostgreSQL takes no advice; the statements are shaped so that there is one good way. Where statistics lag behind
    // a queue, as they do, settling 500 rows out of 100,000 that are due would go through all of those by the index of
    // due rows, and take 295 ms instead of 14.
    std::string by_index(const table_schema&, const std::vector<std::string>&) const override { return {}; }
    std::string beside_indexes(const std::string& column) const override { return column + " + 0"; }

    // Not clock_timestamp(), which could differ from row to row, so that no index could be entered by it.
    std::string now() const override { return "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)"; }
    // For 10,000 ids it takes 0.3 ms, md5 takes 7.5.
    std::string lane(const std::string& key, unsigned lanes) const override {
        return fmt::format("(hashtextextended({} COLLATE \"C\", 0) & 2147483647) % {}", key, lanes);
    }
    std::string size(const std::string& column, const table_column& is) const override {
        if (is.type == "bytea") return fmt::format("octet_length({})", column);
        if (is_sent_as_stored(is) && !is.charset.empty()) return fmt::format("octet_length({})", column);
        return fmt::format("octet_length(convert_to(CAST({} AS text), 'UTF8'))", column);
    }
    std::string text(const std::string& column, const table_column& is) const override {
        return is.type == "bytea" ? fmt::format("encode({}, 'hex')", column) : fmt::format("CAST({} AS text)", column);
    }
    std::string body(std::string fetched, const table_column& is) const override {
        return is.type == "bytea" ? from_hex(fetched) : fetched;
    }
    std::string ordered_id(const table_column& id) const override {
        return is_ordered_by_bytes(id) ? "id" : "id COLLATE \"C\"";
    }
    std::string given_id(const std::string& name, const table_column&) const override { return ":" + name; }
    std::string told_apart(const table_column&) const override { return "TRUE"; }

    // In one order, so that two that settle some of the same rows don't lock each other out.
    std::string rows_of(const std::string& name, std::span<const batch_field> fields,
                        const table_column& id) const override {
        std::vector<std::string> columns;
        for (const auto& field : fields) {
            const auto value = fmt::format("one ->> {}", columns.size());
            // Of convert_from's own collation, which comes with the encoding's name, texts of others can't be compared.
            const auto text = fmt::format("convert_from(decode({}, 'hex'), 'UTF8') COLLATE \"default\"", value);
            switch (field.type) {
                case batch_field::kind::number: columns.push_back(fmt::format("CAST({} AS bigint)", value)); break;
                case batch_field::kind::text: columns.push_back(text); break;
                case batch_field::kind::id:
                    columns.push_back(fmt::format("CAST({} AS {})", text, id.type == "varchar" ? "text" : id.type));
                    break;
            }
            columns.back() += fmt::format(" AS {}", field.name);
        }
        return fmt::format("(SELECT {} FROM json_array_elements(CAST(:{} AS json)) AS batch (one) ORDER BY 1)",
                           fmt::join(columns, ", "), name);
    }

    // As an array: the planner has no other way than the index on id then, and goes through it in order.
    std::string among(const std::string& name, const table_column& id) const override {
        static constexpr std::array ids = {batch_field{"id", batch_field::kind::id}};
        return fmt::format("id = ANY (ARRAY(SELECT id FROM {} AS given))", rows_of(name, ids, id));
    }

    text_room room_in(const table_column& column) const override {
        text_room room;
        room.characters =
            column.length > 0 ? static_cast<std::size_t>(column.length) : std::numeric_limits<std::size_t>::max();
        room.widest = is_sent_as_stored(column) ? 4 : 1;
        room.nul = false;
        return room;
    }

    std::string locking() const override { return " FOR UPDATE"; }

    std::string bytes(const std::string& column, const table_column& is) const override {
        return is.type == "bytea" ? column : fmt::format("convert_to(CAST({} AS text), 'UTF8')", column);
    }
    std::string given_bytes(const std::string& name) const override { return fmt::format("decode(:{}, 'hex')", name); }
    std::string contains(const std::string& bytes, const std::string& given) const override {
        return fmt::format("position({} IN {}) > 0", given, bytes);
    }
    std::string start(const std::string& column, const table_column& is, std::size_t size) const override {
        return is.type == "bytea" ? fmt::format("encode(substring({} FROM 1 FOR {}), 'hex')", column, size)
                                  : fmt::format("left(CAST({} AS text), {})", column, size);
    }
    std::string converted(const std::string& value, const table_column& from, const table_column& to) const override {
        if (to.type == "bytea") return bytes(value, from);
        const auto text =
            from.type == "bytea" ? fmt::format("encode({}, 'escape')", value) : fmt::format("CAST({} AS text)", value);
        if (to.type == "json" || to.type == "jsonb") return fmt::format("CAST({} AS {})", text, to.type);
        return to.length > 0 ? fmt::format("left({}, {})", text, to.length) : text;
    }
    std::string datetime(const std::string& seconds) const override {
        return fmt::format("to_timestamp({}) AT TIME ZONE 'UTC'", seconds);
    }
    std::string utc(const std::string& column) const override {
        return fmt::format("to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", column);
    }
    std::string flag(bool set, const table_column& is) const override {
        if (is.type == "bool") return set ? "true" : "false";
        if (is.type == "bit") return set ? "B'1'" : "B'0'";
        return set ? "1" : "0";
    }
    std::string number_of_flag(const std::string& column, const table_column&) const override {
        return fmt::format("CAST({} AS int)", column);
    }

    // In a standby it is on, too. What one shows as due, its successor may have settled.
    void require_writable(soci_session& session) override {
        bool read_only = false;
        session.query("SELECT current_setting('transaction_read_only')", 1, {},
                      [&](const sql_row& row) { read_only = row.text(1) == "on"; });
        if (!read_only) return;
        session.disconnect();
        throw store_unavailable("the server is read-only: it may have become a standby");
    }

    std::vector<migration> migrations(const std::string& table) const override {
        auto all = postgresql_migrations();
        for (auto& one : all) {
            replace_all(one.sql, "\"msg_log\"", quoted(table));
            replace_all(one.sql, "\"msg_lane\"", quoted(beside(table, "msg_lane")));
            replace_all(one.sql, "\"sys_mq_fail\"", quoted(beside(table, "sys_mq_fail")));
            replace_all(one.sql, "\"sys_mq_notice\"", quoted(beside(table, "sys_mq_notice")));
            replace_all(one.sql, "\"msg_log_",
                        "\"" + name_of(table) + "_");  // names of indexes are a schema's, not a table's
        }
        return all;
    }
    std::string bookkeeping() const override {
        return "CREATE TABLE IF NOT EXISTS outbox_migration (\n"
               "  table_name varchar(150) COLLATE \"C\" NOT NULL,\n"
               "  number     int NOT NULL,\n"
               "  name       varchar(100) NOT NULL,\n"
               "  applied_at timestamptz NOT NULL,\n"
               "  PRIMARY KEY (table_name, number)\n"
               ")";
    }
    std::string timestamp() const override { return "clock_timestamp()"; }
    std::string applied_at() const override {
        return "to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    }

    // The first lock is there before any row is. The second keeps out who changes rows by hand.
    void lock_leases(soci_session& session, const std::string& lane_table, const std::string& name) override {
        const auto nothing = [](const sql_row&) {};
        const auto what = lane_table + ' ' + name;
        session.query("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))", 1, std::array<sql_value, 1>{what},
                      nothing);
        session.query(fmt::format("SELECT lane FROM {} WHERE table_name = :name ORDER BY lane FOR UPDATE", lane_table),
                      1, std::array<sql_value, 1>{name}, nothing);
    }

    void lock_migrations(soci_session& session) override {
        *patient_ = true;  // an index on a large table takes its time
        session.execute_text(
            fmt::format("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{}'", migration_turn));
        session.query_text("SELECT pg_advisory_xact_lock(hashtextextended('outbox_migration', 0))", 1,
                           [](const sql_row&) {});
        session.execute_text(fmt::format("SET LOCAL lock_timeout = '{}'", table_lock_wait));
    }

    void examine_database(soci_session& session, findings& to) override {
        examine_postgresql_server(session, settings_, now(), to);
    }
    void examine_table(soci_session& session, const std::string& table, const table_schema& schema,
                       findings& to) override {
        examine_postgresql_table(session, {quoted(table), name_of(table), schema}, settings_.notify, to);
    }
    void examine_plan(soci_session& session, const std::string& what, const std::string& sql, const std::string& pays,
                      findings& to) override {
        examine_postgresql_plan(session, what, sql, pays, to);
    }

  private:
    const conf::database settings_;
    const std::string role_;
    const std::shared_ptr<bool> patient_ = std::make_shared<bool>(false);
};

}  // namespace

bool is_ordered_by_bytes(const table_column& column) {
    static constexpr std::array<std::string_view, 6> known = {"", "C", "POSIX", "ucs_basic", "C.UTF-8", "C.utf8"};
    return std::find(known.begin(), known.end(), column.collation) != known.end();
}

std::unique_ptr<soci_dialect> make_postgresql_dialect(const conf::database& settings, const std::string& role) {
    return std::make_unique<postgresql_dialect>(settings, role);
}

}  // namespace outbox
