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
    recommended,  // as `migrate` makes it
    nine,         // the nine columns of the contract and nothing else, times may be NULL
    narrow,       // recommended, but try_count holds at most 127 and last_error 20 characters
    bytes,        // recommended, but msg is of a type for bytes
    unpadded,     // recommended, but ids that differ in nothing but trailing spaces are different ids
    lacking,      // nine, without routing_key and try_count
    none,         // no table is there
};

/// One table on one kind of server, gone at the end.
class subject {
  public:
    virtual ~subject() = default;

    virtual std::unique_ptr<outbox::store> open(const outbox::store_options& options = {}) = 0;
    virtual std::unique_ptr<connection> connect() = 0;

    /// The table's name, as it goes into SQL.
    virtual std::string table() const = 0;
    /// The current time in epoch_ms, as an SQL expression.
    virtual std::string now() const = 0;
    /// A literal for UTF-8 text, or for any bytes.
    virtual std::string text(std::string_view utf8) const = 0;
    virtual std::string blob(std::string_view bytes) const = 0;

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

    /// `sql` with each {} replaced by the table's name.
    std::string in(std::string sql) const;
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
