#pragma once
// test/support/sqlite_file.hpp - the test's own way to SQLite, and files to test on.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.hpp"

struct sqlite3;

namespace support {

/// A file's name in a folder of its own, which is gone at the end with all that is in it. The file itself is not made.
class sqlite_file {
  public:
    sqlite_file();
    ~sqlite_file();
    sqlite_file(const sqlite_file&) = delete;
    sqlite_file& operator=(const sqlite_file&) = delete;

    const std::string& folder() const { return folder_; }
    std::string path() const { return folder_ + "/outbox.db"; }
    /// The settings of a store or a sidecar that works on it. Locks are waited for a short time only.
    conf::database settings() const;

  private:
    std::string folder_;
};

/// One connection, which makes the file if need be; one thread at a time. Throws std::runtime_error.
class sqlite_connection {
  public:
    explicit sqlite_connection(const std::string& path);
    ~sqlite_connection();
    sqlite_connection(const sqlite_connection&) = delete;
    sqlite_connection& operator=(const sqlite_connection&) = delete;

    /// One statement or several. Returns the number of rows that the last one changed.
    std::uint64_t execute(const std::string& sql);
    std::vector<std::vector<std::optional<std::string>>> rows(const std::string& sql);

  private:
    void fail(const std::string& sql) const;

    sqlite3* database_ = nullptr;
};

}  // namespace support
