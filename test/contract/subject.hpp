#pragma once
// test/contract/subject.hpp - a kind of database as the contract suite sees it. A new store is one more file like
// mysql_subject.cpp and one more line in main.cpp.
//
// What the tests do behind the store's back is plain SQL that every database understands; what differs between them is
// asked of the subject.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/store.hpp"

namespace contract {

using row = std::vector<std::optional<std::string>>;

/// The test's own connection, beside the store. Throws std::runtime_error. Autocommits unless told BEGIN.
class connection {
  public:
    virtual ~connection() = default;

    virtual std::uint64_t execute(const std::string& sql) = 0;
    virtual std::vector<row> rows(const std::string& sql) = 0;

    /// The only value of the only row; NULL comes as "NULL".
    std::string text(const std::string& sql);
    std::int64_t number(const std::string& sql);
};

enum class shape {
    recommended,     // as `migrate` makes it
    nine,            // the nine columns of the contract and nothing else, times may be NULL
    narrow,          // recommended, but try_count is of the smallest type and last_error is for 20 characters
    bytes,           // recommended, but msg is of a type for bytes
    unpadded,        // recommended, but ids that differ in nothing but trailing spaces are different ids
    lacking,         // nine, without routing_key and try_count
    none,            // no table is there
    classic_ledger,  // recommended, beside a ledger of its own with the classic 13 columns: narrow, making no ids
};

/// A column in words that all kinds of databases share.
struct column_facts {
    std::string name;
    bool nullable = false;
    bool filled_in = false;         // by the database, when an INSERT leaves it out
    std::int64_t place_in_key = 0;  // in the primary key, from 1; 0: it is no part of it
};

/// One table on one kind of server, gone at the end.
class subject {
  public:
    virtual ~subject() = default;

    virtual std::unique_ptr<outbox::store> open(const outbox::store_options& options = {}) = 0;
    virtual std::unique_ptr<connection> connect() = 0;
    /// Of a database of this kind that can't be reached; with a password, where there are any: topsecret.
    virtual conf::database nowhere() const = 0;

    /// Its files' folder in schema/.
    virtual std::string kind() const = 0;
    /// Applies schema/KIND/optional/FILE to the table, by hand.
    void apply_optional(const std::string& file);

    /// The table's name, as it goes into SQL.
    virtual std::string table() const = 0;
    /// The ledger's name, likewise. Tables of other subjects may share it, but for the shape classic_ledger.
    virtual std::string ledger() const = 0;
    /// The current time in epoch_ms, as an SQL expression.
    virtual std::string now() const = 0;
    /// A literal for UTF-8 text, or for any bytes.
    virtual std::string text(std::string_view utf8) const = 0;
    virtual std::string blob(std::string_view bytes) const = 0;

    /// False: a text has no place for NUL.
    virtual bool holds_nul() const { return true; }
    /// What try_count can hold in shape::narrow.
    virtual std::int64_t narrow_tries() const { return 127; }
    /// False: who writes has the whole table to himself, until his transaction ends.
    virtual bool locks_rows() const { return true; }

    /// Makes the store connect, if need be, and returns what cuts that connection at the server's end.
    /// Empty where there is no connection that could be lost.
    virtual std::function<void()> cutter(outbox::store& of) = 0;

    /// How many rows and index entries the server has looked at so far, for anyone; nullopt where it does not say.
    /// Asking costs the same each time, and counts.
    virtual std::optional<std::uint64_t> rows_examined() = 0;

    /// Applies a script as an administrator would, with the database's own client.
    virtual void apply_by_hand(const std::string& script) = 0;
    /// The table's definition in words that are equal for equal tables.
    virtual std::string definition() = 0;
    /// The columns, in order, of a table that lies in the same place.
    virtual std::vector<column_facts> columns(const std::string& table) = 0;

    /// A literal for a flag of the ledger (fail_flag, last_retry_status).
    virtual std::string flag(bool set) const = 0;

    /// `sql` with each {} replaced by the table's name, and each [] by the ledger's.
    std::string in(std::string sql) const;

  protected:
    /// Of rows of a name and three numbers.
    static std::vector<column_facts> to_columns(const std::vector<row>& rows);
};

/// A table of the kind of database under test.
std::unique_ptr<subject> make_subject(shape of = shape::recommended);

struct kind_of_database {
    std::string name;
    std::function<std::unique_ptr<subject>(shape)> make;
};

/// Which kind make_subject() makes from now on.
void use(const kind_of_database& kind);

}  // namespace contract
