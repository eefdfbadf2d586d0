#pragma once
// outbox/soci_dialect.hpp - where the databases behind SOCI differ in what soci_store asks of them. Mostly pieces of
// SQL; each function says in which place they stand.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "outbox/findings.hpp"
#include "outbox/soci_session.hpp"
#include "outbox/table_schema.hpp"
#include "outbox/utf8.hpp"

namespace outbox {

/// One field of the rows that a batch_document carries.
struct batch_field {
    enum class kind { id, text, number };
    const char* name;
    kind type;
};

class soci_dialect {
  public:
    virtual ~soci_dialect() = default;

    virtual std::unique_ptr<soci_driver> make_driver() const = 0;
    /// Where this kind's files are, in schema/.
    virtual std::string schema_folder() const = 0;

    // ---- names and schema
    /// `table` comes from the configuration and is allow-listed there.
    virtual std::string quoted(const std::string& table) const = 0;
    virtual table_schema read_schema(soci_session& session, const std::string& table) const = 0;
    virtual bool has_table(soci_session& session, const std::string& table) const = 0;
    /// What follows a table's name to have it read by its index on these columns; empty where there is none, or where
    /// the database does not take advice.
    virtual std::string by_index(const table_schema& schema, const std::vector<std::string>& columns) const = 0;

    /// A column in a condition that is no reason to go by its index, where the database can't be told by which to go.
    virtual std::string beside_indexes(const std::string& column) const { return column; }

    // ---- expressions
    /// The database's clock in epoch_ms, an integer.
    virtual std::string now() const = 0;
    /// The lane of a key among `lanes`, an integer.
    virtual std::string lane(const std::string& key, unsigned lanes) const = 0;
    /// The size in bytes of what text() brings.
    virtual std::string size(const std::string& column, const table_column& is) const = 0;
    /// A column as SOCI can fetch it, or NULL.
    virtual std::string text(const std::string& column, const table_column& is) const = 0;
    /// Likewise, of a text that is to be found again by comparing: NULL where that could not be.
    virtual std::string comparable(const std::string& column, const table_column& is) const { return text(column, is); }
    /// The body, as SOCI brought what text() asked for.
    virtual std::string body(std::string fetched, const table_column&) const { return fetched; }
    /// The column id as rows are ordered by it: byte by byte.
    virtual std::string ordered_id(const table_column&) const { return "id"; }
    /// The argument `name`, as it can be compared with the column id.
    virtual std::string given_id(const std::string& name, const table_column& id) const = 0;
    /// A condition for rows whose id can be told from all others', or TRUE.
    virtual std::string told_apart(const table_column& id) const = 0;
    /// A derived table, without a name, of the rows in the batch_document that is the argument `name`.
    virtual std::string rows_of(const std::string& name, std::span<const batch_field> fields,
                                const table_column& id) const = 0;
    /// The condition that the column id is one of those in the batch_document, of ids alone, that is the argument
    /// `name`.
    virtual std::string among(const std::string& name, const table_column& id) const = 0;
    /// Whether the column is for bytes, which are no text.
    virtual bool is_binary(const table_column& is) const { return is.type == "bytea" || is.type == "blob"; }
    /// The largest text that the column can hold.
    virtual text_room room_in(const table_column& column) const = 0;

    /// What follows a SELECT in a transaction that is going to change its rows.
    virtual std::string locking() const { return {}; }

    // ---- expressions of operators
    /// A column as the bytes that are sent; the argument `name`, hexadecimal digits, as such; whether they contain it.
    virtual std::string bytes(const std::string& column, const table_column& is) const = 0;
    virtual std::string given_bytes(const std::string& name) const = 0;
    virtual std::string contains(const std::string& bytes, const std::string& given) const = 0;
    /// As text(), but at least its first `size` bytes suffice.
    virtual std::string start(const std::string& column, const table_column& is, std::size_t size) const = 0;
    /// An expression of the type of `from` as what the column `to` can take.
    virtual std::string converted(const std::string& value, const table_column& from, const table_column& to) const = 0;
    /// Seconds since 1970 as what a column for a point in time, in UTC, takes; and that as 2026-01-31T23:59:59Z.
    virtual std::string datetime(const std::string& seconds) const = 0;
    virtual std::string utc(const std::string& column) const = 0;
    /// A column for yes and no: a literal for it, and as the number 1 or 0.
    virtual std::string flag(bool set, const table_column&) const { return set ? "1" : "0"; }
    virtual std::string number_of_flag(const std::string& column, const table_column&) const { return column; }

    // ---- before reading from the very start
    /// Throws store_unavailable when the database can't be written to, as what is read there may be out of date.
    virtual void require_writable(soci_session&) {}

    // ---- leases
    /// In a transaction that changes those of the outbox `name`: waits until no other one does.
    virtual void lock_leases(soci_session&, const std::string& /*quoted lane table*/, const std::string& /*name*/) {}

    // ---- migrations
    /// The migrations, for this table.
    virtual std::vector<migration> migrations(const std::string& table) const = 0;
    /// What a script for a DBA begins with.
    virtual std::string script_head() const { return {}; }
    /// DDL of outbox_migration (table_name, number, name, applied_at).
    virtual std::string bookkeeping() const = 0;
    /// The current time for outbox_migration.applied_at, and that column as 2026-01-31T23:59:59Z.
    virtual std::string timestamp() const = 0;
    virtual std::string applied_at() const = 0;
    /// Before the transaction of all migrations, and as its first statement: waits for another one's end.
    virtual void prepare_migration(soci_session&) {}
    virtual void lock_migrations(soci_session&) {}

    // ---- examination
    /// All that can be said without a table, then what can be said of this one. `statements` are those of the relay,
    /// with what they are for.
    virtual void examine_database(soci_session& session, findings& to) = 0;
    virtual void examine_table(soci_session& session, const std::string& table, const table_schema& schema,
                               findings& to) = 0;
    /// How the database runs a statement of the store's. `what` names it, `pays` says what a walk through the table
    /// costs.
    virtual void examine_plan(soci_session& session, const std::string& what, const std::string& sql,
                              const std::string& pays, findings& to) = 0;
};

}  // namespace outbox
