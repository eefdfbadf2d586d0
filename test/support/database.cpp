#include "test/support/database.hpp"

#include <cppconn/connection.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <utility>

#include "conf/url.hpp"
#include "outbox/store.hpp"

namespace support {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0')
        throw std::runtime_error(fmt::format("{} is not set: run the tests with test/run", name));
    return value;
}

sql::Driver& driver() {
    static sql::Driver& only = *get_driver_instance();
    return only;
}

void announce_thread() {
    struct guard {
        guard() { driver().threadInit(); }
        ~guard() { driver().threadEnd(); }
    };
    thread_local const guard here;
}

// Whole statements can be megabytes long.
std::string shortened(const std::string& sql) { return sql.size() <= 300 ? sql : sql.substr(0, 300) + "…"; }

template <class Work>
auto explained(const std::string& sql, Work&& work) {
    announce_thread();
    try {
        return work();
    } catch (const sql::SQLException& error) {
        throw std::runtime_error(
            fmt::format("{} (error {}) in: {}", error.what(), error.getErrorCode(), shortened(sql)));
    }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

constexpr auto classic_ddl =
    "CREATE TABLE {} ("
    "  id varchar(255) NOT NULL DEFAULT '' PRIMARY KEY,"
    "  msg text,"
    "  exchange varchar(255) NOT NULL DEFAULT '',"
    "  routing_key varchar(255) NOT NULL DEFAULT '',"
    "  status int(11) NOT NULL DEFAULT 0,"
    "  try_count int(11) NOT NULL DEFAULT 0,"
    "  next_try_time bigint(20),"
    "  create_time bigint(20),"
    "  update_time bigint(20),"
    "  UNIQUE KEY unq_msg_id (id)"
    ") ENGINE=InnoDB DEFAULT CHARSET=utf8 ROW_FORMAT=COMPACT";

}  // namespace

std::string mysql_url() { return variable("OUTBOX_TEST_MYSQL_URL"); }

struct database::impl {
    std::unique_ptr<sql::Connection> connection;
};

database::database(account as) : impl_(std::make_unique<impl>()) {
    const auto url = conf::parse_url(mysql_url());
    const bool root = as == account::root;
    const std::string password =
        root ? variable("OUTBOX_TEST_MYSQL_ROOT_PASSWORD") : url.password.value_or(std::string());
    explained("connect", [&] {
        sql::ConnectOptionsMap options;
        options["hostName"] = sql::SQLString("tcp://" + url.host);
        options["port"] = static_cast<int>(url.port);
        options["userName"] = sql::SQLString(root ? "root" : url.user);
        options["password"] = sql::SQLString(password);
        options["schema"] = sql::SQLString(url.database());
        options["OPT_RECONNECT"] = false;
        options["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
        impl_->connection.reset(driver().connect(options));
    });
    // A lock that a test has left behind is to be an error, not an hour's wait.
    execute("SET SESSION lock_wait_timeout = 20, innodb_lock_wait_timeout = 20");
}

database::~database() {
    if (impl_) announce_thread();
}

database::database(database&&) noexcept = default;
database& database::operator=(database&&) noexcept = default;

std::uint64_t database::execute(const std::string& sql) {
    return explained(sql, [&]() -> std::uint64_t {
        const std::unique_ptr<sql::Statement> statement(impl_->connection->createStatement());
        if (statement->execute(sql)) {
            const std::unique_ptr<sql::ResultSet> unwanted(statement->getResultSet());
            return 0;
        }
        return statement->getUpdateCount();
    });
}

std::vector<row> database::rows(const std::string& sql) {
    return explained(sql, [&] {
        std::vector<row> all;
        const std::unique_ptr<sql::Statement> statement(impl_->connection->createStatement());
        const std::unique_ptr<sql::ResultSet> result(statement->executeQuery(sql));
        const unsigned columns = result->getMetaData()->getColumnCount();
        while (result->next()) {
            auto& one = all.emplace_back();
            for (unsigned column = 1; column <= columns; ++column) {
                std::string value = result->getString(column).asStdString();
                if (value.empty() && result->isNull(column))
                    one.emplace_back();
                else
                    one.emplace_back(std::move(value));
            }
        }
        return all;
    });
}

std::string database::text(const std::string& sql) {
    const auto all = rows(sql);
    if (all.size() != 1) throw std::runtime_error(fmt::format("{} rows from: {}", all.size(), shortened(sql)));
    return all.front().front().value_or("NULL");
}

std::int64_t database::number(const std::string& sql) {
    const auto value = text(sql);
    try {
        return std::stoll(value);
    } catch (const std::logic_error&) {
        throw std::runtime_error(fmt::format("'{}' is no number, from: {}", value, shortened(sql)));
    }
}

std::int64_t database::connection_id() { return number("SELECT CONNECTION_ID()"); }

std::string bytes(std::string_view any) {
    static constexpr auto digits = "0123456789ABCDEF";
    std::string literal = "x'";
    for (const char c : any) {
        const auto byte = static_cast<unsigned char>(c);
        literal += digits[byte >> 4];
        literal += digits[byte & 15];
    }
    return literal + "'";
}

std::string utf8(std::string_view text) { return "_utf8mb4 " + bytes(text); }

own_database::own_database() : name_(unique_name("own")) {
    database root(database::account::root);
    root.execute("CREATE DATABASE " + name_);
    const auto account = database().text("SELECT CURRENT_USER()");
    const auto at = account.rfind('@');
    root.execute(fmt::format("GRANT ALL ON {}.* TO '{}'@'{}'", name_, account.substr(0, at), account.substr(at + 1)));
}

own_database::~own_database() {
    try {
        database(database::account::root).execute("DROP DATABASE " + name_);
    } catch (const std::exception&) {
        // As for a table.
    }
}

table table::recommended(const std::string& database) {
    table made((database.empty() ? "" : database + ".") + unique_name("outbox"));
    outbox::make_store(made.settings(), {})->migrate();
    return made;
}

table table::classic() { return of(classic_ddl); }

table table::of(const std::string& ddl) {
    table made(unique_name("outbox"));
    database().execute(made.in(ddl));
    return made;
}

table::~table() {
    if (name_.empty()) return;
    try {
        database server;
        server.execute(in("DROP TABLE IF EXISTS {}"));
        for (const auto* shared : {"outbox_migration", "msg_lane"}) {
            if (!server.rows(fmt::format("SHOW TABLES LIKE '{}'", shared)).empty())
                server.execute(fmt::format("DELETE FROM {} WHERE table_name = '{}'", shared, name_));
        }
    } catch (const std::exception&) {
        // The server may be what the test has taken away; the next test's table has another name.
    }
}

table::table(table&& other) noexcept : name_(std::exchange(other.name_, {})) {}

conf::database table::settings() const {
    conf::database settings;
    settings.url = mysql_url();
    settings.table = name_;
    return settings;
}

std::string table::in(const std::string& sql) const {
    std::string text = sql;
    replace_all(text, "{}", name_);
    return text;
}

std::string unpadded_collation(database& server) {
    const bool mariadb = server.text("SELECT VERSION()").find("MariaDB") != std::string::npos;
    return mariadb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin";
}

std::int64_t entries_read(database& server) {
    std::int64_t sum = 0;
    for (const auto& counter : server.rows("SHOW GLOBAL STATUS LIKE 'Handler_read%'"))
        sum += std::stoll(counter.at(1).value());
    return sum;
}

std::string unique_name(std::string_view prefix) {
    static std::atomic<unsigned> count = 0;
    static const auto run = std::random_device()();
    return fmt::format("{}_{:08x}_{}_{}", prefix, run, ::getpid(), ++count);
}

}  // namespace support
