#pragma once
// test/support/postgresql.hpp - the test's own way to PostgreSQL, beside the code under test.
//
// The server is the one that `deploy/lib/private-servers env` describes: OUTBOX_TEST_POSTGRESQL_URL, and for root
// OUTBOX_TEST_POSTGRESQL_ROOT_PASSWORD.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/settings.hpp"

namespace support {

/// OUTBOX_TEST_POSTGRESQL_URL, for conf::database::url. Throws std::runtime_error when it is not set.
std::string postgresql_url();

/// One connection, open from the start; one thread at a time. Autocommit is on; transactions are begun with SQL.
/// Every function throws std::runtime_error with the server's words and the statement.
class postgresql {
  public:
    using row = std::vector<std::optional<std::string>>;
    enum class account { application, root };

    /// `other_database`: instead of the one that the url names.
    explicit postgresql(account as = account::application, const std::string& other_database = {});
    ~postgresql();
    postgresql(postgresql&&) noexcept;
    postgresql& operator=(postgresql&&) noexcept;

    /// Returns the number of rows that an INSERT, UPDATE or DELETE changed; 0 for others.
    std::uint64_t execute(const std::string& sql);

    std::vector<row> rows(const std::string& sql);
    /// The first column of the only row. NULL comes as "NULL"; throws when there are more rows, or none.
    std::string text(const std::string& sql);
    std::int64_t number(const std::string& sql);

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// A schema of its own, dropped at the end with all that is in it.
class own_schema {
  public:
    own_schema();
    ~own_schema();
    own_schema(const own_schema&) = delete;
    own_schema& operator=(const own_schema&) = delete;

    const std::string& name() const { return name_; }

  private:
    std::string name_;
};

/// A table of its own, dropped at the end.
class postgresql_table {
  public:
    /// As `migrate` makes it, in this schema.
    static postgresql_table recommended(const std::string& schema = {});
    /// `ddl` says {} where the table's name goes.
    static postgresql_table of(const std::string& ddl);

    ~postgresql_table();
    postgresql_table(postgresql_table&&) noexcept;
    postgresql_table& operator=(postgresql_table&&) = delete;

    const std::string& name() const { return name_; }
    /// The settings of a store or a sidecar that works on this table.
    conf::database settings() const;

    /// `sql` with each {} replaced by the table's name.
    std::string in(std::string sql) const;

  private:
    explicit postgresql_table(std::string name) : name_(std::move(name)) {}

    std::string name_;  // empty: moved from
};

/// A literal for bytes.
std::string postgresql_bytes(std::string_view any);
/// A literal for UTF-8 text without NUL, which PostgreSQL can't store.
std::string postgresql_text(std::string_view utf8);

}  // namespace support
