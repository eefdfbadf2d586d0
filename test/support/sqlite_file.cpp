#include "test/support/sqlite_file.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace support {

using namespace std::chrono_literals;

sqlite_file::sqlite_file() {
    auto pattern = (std::filesystem::temp_directory_path() / "outbox-sqlite.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for " + pattern);
    folder_ = pattern;
}

sqlite_file::~sqlite_file() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

conf::database sqlite_file::settings() const {
    conf::database settings;
    settings.url = "sqlite://" + path();
    settings.query_timeout = 1s;
    return settings;
}

sqlite_connection::sqlite_connection(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK) {
        sqlite3_close(database_);
        throw std::runtime_error("can't open " + path);
    }
    sqlite3_busy_timeout(database_, 20'000);
}

sqlite_connection::~sqlite_connection() { sqlite3_close(database_); }

void sqlite_connection::fail(const std::string& sql) const {
    throw std::runtime_error(fmt::format("{}, from: {}", sqlite3_errmsg(database_), sql.substr(0, 200)));
}

std::uint64_t sqlite_connection::execute(const std::string& sql) {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(sql);
    return static_cast<std::uint64_t>(sqlite3_changes(database_));
}

std::vector<std::vector<std::optional<std::string>>> sqlite_connection::rows(const std::string& sql) {
    std::vector<std::vector<std::optional<std::string>>> all;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail(sql);
    int result = 0;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        auto& row = all.emplace_back();
        for (int i = 0; i < sqlite3_column_count(statement); ++i) {
            const auto* const data = static_cast<const char*>(sqlite3_column_blob(statement, i));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
            if (sqlite3_column_type(statement, i) == SQLITE_NULL)
                row.emplace_back();
            else
                row.emplace_back(std::in_place, data == nullptr ? "" : data, size);
        }
    }
    sqlite3_finalize(statement);
    if (result != SQLITE_DONE) fail(sql);
    return all;
}

}  // namespace support
