#pragma once
// test/support/database.hpp - the test's own way to MariaDB or MySQL, beside the code under test, and tables to test
// on.
//
// The server is the one that `deploy/lib/private-servers env` describes: OUTBOX_TEST_MYSQL_URL, and for root
// OUTBOX_TEST_MYSQL_ROOT_PASSWORD.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.hpp"

namespace support {

using row = std::vector<std::optional<std::string>>;

/// OUTBOX_TEST_MYSQL_URL, for conf::database::url. Throws std::runtime_error when it is not set.
std::string mysql_url();

/// One connection, open from the start; one thread at a time. Autocommit is on; transactions are begun with SQL.
/// Every function throws std::runtime_error with the server's words and the statement.
class database {
  public:
    enum class account { application, root };

    explicit database(account as = account::application);
    ~database();
    database(database&&) noexcept;
    database& operator=(database&&) noexcept;

    /// Returns the number of rows that an INSERT, UPDATE or DELETE changed; 0 for others.
    std::uint64_t execute(const std::string& sql);

    std::vector<row> rows(const std::string& sql);
    /// The first column of the only row. NULL comes as "NULL"; throws when there are more rows, or none.
    std::string text(const std::string& sql);
    std::int64_t number(const std::string& sql);

    /// As the server's process list and KILL have it.
    std::int64_t connection_id();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// A literal for any bytes: x'00FF'. As text it takes the charset of the column that it goes into.
std::string bytes(std::string_view any);
/// A literal for UTF-8 text, whatever is in it.
std::string utf8(std::string_view text);

/// A database of its own, dropped at the end.
class own_database {
  public:
    own_database();
    ~own_database();
    own_database(const own_database&) = delete;
    own_database& operator=(const own_database&) = delete;

    const std::string& name() const { return name_; }

  private:
    std::string name_;
};

/// A table of its own, dropped at the end.
class table {
  public:
    /// As `migrate` makes it, in the database if one is named.
    static table recommended(const std::string& database = {});
    /// The nine columns as tutorials and existing applications have them: utf8, COMPACT, no index on status.
    static table classic();
    /// `ddl` says {} where the table's name goes.
    static table of(const std::string& ddl);

    ~table();
    table(table&&) noexcept;
    table& operator=(table&&) = delete;

    const std::string& name() const { return name_; }
    /// The settings of a store or a sidecar that works on this table.
    conf::database settings() const;

    /// `sql` with each {} replaced by the table's name.
    std::string in(const std::string& sql) const;

  private:
    explicit table(std::string name) : name_(std::move(name)) {}

    std::string name_;  // empty: moved from
};

/// A name that no other table has, nor any queue.
std::string unique_name(std::string_view prefix);

/// A collation of utf8mb4 for which trailing spaces count; MariaDB and MySQL have none in common.
std::string unpadded_collation(database& server);

/// Rows and index entries that the server has looked at, for all connections. Asking costs the same each time, and
/// counts.
std::int64_t entries_read(database& server);

}  // namespace support
