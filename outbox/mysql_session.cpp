#include "outbox/mysql_session.hpp"

#include <cppconn/connection.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <list>
#include <unordered_map>

#include "conf/url.hpp"
#include "outbox/deadlock.hpp"

namespace outbox {
namespace {

constexpr std::size_t kept_statements = 64;

sql::Driver& driver() {
    static sql::Driver& only = *get_driver_instance();
    return only;
}

// libmariadb wants each thread announced.
void announce_thread() {
    struct guard {
        guard() { driver().threadInit(); }
        ~guard() { driver().threadEnd(); }
    };
    thread_local const guard here;
}

constexpr int lock_wait_timeout = 1205;
constexpr int lock_table_full = 1206;
constexpr int duplicate_key = 1062;

bool is_deadlock(int code) { return code == 1213 || code == 1020 /* record changed since it was read */; }

// Errors after which this connection is of no use, or not at present: the server is away, going, full, or read-only.
bool is_unavailable(int code) {
    static constexpr std::array codes = {
        1040, 1044, 1045, 1049, 1053, 1080, 1129, 1130, 1152, 1156, 1157, 1158, 1159, 1160, 1161, 1184,
        1203, 1226, 1290, 1317, 1836, 1792, 1047, 1927, 3118, 3169, 3032, 3100, 3101, 4031, 4150,
    };
    // 2000 to 2999 are the client library's own, but for misuse of the API (2014, 2030 to 2036).
    if (code >= 2000 && code < 3000) return code != 2014 && !(code >= 2030 && code <= 2036);
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

class row_view : public mysql_row {
  public:
    explicit row_view(sql::ResultSet& result) : result_(result) {}

    std::optional<std::string> text(unsigned column) const override {
        std::string value = result_.getString(column).asStdString();
        if (value.empty() && result_.isNull(column)) return std::nullopt;
        return value;
    }

    std::optional<std::int64_t> number(unsigned column) const override {
        const auto value = result_.getInt64(column);
        if (value == 0 && result_.isNull(column)) return std::nullopt;
        return value;
    }

  private:
    sql::ResultSet& result_;
};

}  // namespace

struct mysql_session::impl {
    impl(const conf::database& settings_in, std::string role_in)
        : settings(settings_in), role(std::move(role_in)), url(conf::parse_url(settings.url)) {
        if (url.database().empty()) throw std::invalid_argument("database.url names no database");
    }

    conf::database settings;
    std::string role;
    conf::url url;
    std::string database = url.database();
    std::function<void()> connected = [] {};
    std::unique_ptr<sql::Connection> connection;
    std::string version;
    std::string cipher;
    std::uint64_t refusals = 0;
    bool in_transaction = false;

    // Most recently used first.
    struct kept {
        std::string sql;
        std::unique_ptr<sql::PreparedStatement> statement;
    };
    std::list<kept> statements;
    std::unordered_map<std::string_view, std::list<kept>::iterator> by_sql;

    [[noreturn]] void fail(const sql::SQLException& error) {
        const std::string text = fmt::format("{} (error {})", error.what(), error.getErrorCode());
        if (is_deadlock(error.getErrorCode())) throw store_deadlock(text);
        if (error.getErrorCode() == lock_wait_timeout || error.getErrorCode() == lock_table_full)
            throw store_busy(text);
        if (is_unavailable(error.getErrorCode())) {
            drop();
            throw store_unavailable(text);
        }
        ++refusals;
        if (error.getErrorCode() == duplicate_key) throw store_duplicate(text);
        throw store_error(text);
    }

    void drop() {
        by_sql.clear();
        statements.clear();
        connection.reset();
        in_transaction = false;
    }

    // Inside a transaction a lost connection must not come back unnoticed.
    template <class Work>
    auto guarded(Work&& work) {
        announce_thread();
        try {
            if (!connection) {
                if (in_transaction) throw store_unavailable("the connection was lost in the transaction");
                connect();
            }
            return work();
        } catch (const sql::SQLException& error) {
            fail(error);
        }
    }

    sql::ConnectOptionsMap options() const {
        const auto seconds = [](std::chrono::milliseconds time) {
            return static_cast<int>(std::max<std::int64_t>(1, (time.count() + 999) / 1000));
        };
        const std::string& password = url.password ? *url.password : settings.password.value;
        sql::ConnectOptionsMap map;
        map["hostName"] =
            sql::SQLString("tcp://" + (url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]"));
        map["port"] = static_cast<int>(url.port);
        map["userName"] = sql::SQLString(url.user);
        map["password"] = sql::SQLString(password);
        map["schema"] = sql::SQLString(database);
        map["OPT_CONNECT_TIMEOUT"] = seconds(settings.connect_timeout);
        map["OPT_READ_TIMEOUT"] = seconds(settings.query_timeout);
        map["OPT_WRITE_TIMEOUT"] = seconds(settings.query_timeout);
        map["OPT_RECONNECT"] = false;
        map["OPT_LOCAL_INFILE"] = 0;  // or a hostile server could ask for our files
        map["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
        if (settings.tls_use == conf::tls_mode::required) {
            const auto& tls = settings.tls;
            map["sslEnforce"] = true;
            if (tls.verify) {
                map["sslVerify"] = true;
                map["sslCA"] = sql::SQLString(tls.ca_file.empty() ? "/etc/ssl/certs/ca-certificates.crt" : tls.ca_file);
            }
            if (!tls.cert_file.empty()) {
                map["sslCert"] = sql::SQLString(tls.cert_file);
                map["sslKey"] = sql::SQLString(tls.key_file);
            }
        }
        return map;
    }

    std::string one_text(const std::string& sql, unsigned column = 1) {
        const std::unique_ptr<sql::Statement> statement(connection->createStatement());
        const std::unique_ptr<sql::ResultSet> result(statement->executeQuery(sql));
        return result->next() ? result->getString(column).asStdString() : std::string();
    }

    void connect() {
        auto map = options();
        try {
            connection.reset(driver().connect(map));
            // The library may fall back to plain text without a word when the server offers no TLS.
            cipher = one_text("SHOW STATUS LIKE 'Ssl_cipher'", 2);
            if (settings.tls_use == conf::tls_mode::required && cipher.empty())
                throw store_unavailable("the server offers no TLS, and database.tls.mode is `required`");
            version = one_text("SELECT VERSION()");
            const std::unique_ptr<sql::Statement> statement(connection->createStatement());
            statement->execute("SET NAMES utf8mb4");
            statement->execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
            statement->execute(
                "SET SESSION autocommit = 1, innodb_lock_wait_timeout = 1, sql_mode = 'STRICT_ALL_TABLES'");
            // A node of a Galera shows, and changes, what it has applied so far. Without this, and with connections at
            // several nodes or after a change of nodes, what was settled would be read as due again.
            if (one_text("SHOW VARIABLES LIKE 'wsrep_on'", 2) == "ON")
                statement->execute("SET SESSION wsrep_sync_wait = 7");
            connected();
        } catch (const sql::SQLException& error) {
            // Whatever the server says to a newcomer, there is no connection; only time or an operator can help.
            drop();
            throw store_unavailable(fmt::format("{} (error {})", error.what(), error.getErrorCode()));
        } catch (...) {
            drop();
            throw;
        }
    }

    sql::PreparedStatement& prepared(const std::string& sql) {
        if (const auto found = by_sql.find(sql); found != by_sql.end()) {
            statements.splice(statements.begin(), statements, found->second);
            return *found->second->statement;
        }
        std::unique_ptr<sql::PreparedStatement> statement(connection->prepareStatement(sql));
        if (statements.size() >= kept_statements) {
            by_sql.erase(statements.back().sql);
            statements.pop_back();
        }
        statements.push_front({sql, std::move(statement)});
        by_sql.emplace(statements.front().sql, statements.begin());
        return *statements.front().statement;
    }

    static void bind(sql::PreparedStatement& statement, std::span<const mysql_value> args) {
        for (unsigned i = 0; i < args.size(); ++i) {
            if (const auto* number = std::get_if<std::int64_t>(&args[i]))
                statement.setInt64(i + 1, *number);
            else {
                const auto text = std::get<std::string_view>(args[i]);
                statement.setString(i + 1, sql::SQLString(text.data(), text.size()));
            }
        }
    }
};

mysql_session::mysql_session(const conf::database& settings, std::string role)
    : impl_(std::make_unique<impl>(settings, std::move(role))) {}

mysql_session::~mysql_session() = default;

void mysql_session::disconnect() { impl_->drop(); }

void mysql_session::on_connect(std::function<void()> each) { impl_->connected = std::move(each); }

void mysql_session::query(const std::string& sql, std::span<const mysql_value> args,
                          const std::function<void(const mysql_row&)>& each) {
    impl_->guarded([&] {
        auto& statement = impl_->prepared(sql);
        impl::bind(statement, args);
        const std::unique_ptr<sql::ResultSet> result(statement.executeQuery());
        const row_view row(*result);
        while (result->next()) each(row);
    });
}

std::uint64_t mysql_session::execute(const std::string& sql, std::span<const mysql_value> args) {
    return impl_->guarded([&]() -> std::uint64_t {
        auto& statement = impl_->prepared(sql);
        impl::bind(statement, args);
        return static_cast<std::uint64_t>(std::max(0, statement.executeUpdate()));
    });
}

void mysql_session::query_text(const std::string& sql, const std::function<void(const mysql_row&)>& each) {
    impl_->guarded([&] {
        const std::unique_ptr<sql::Statement> statement(impl_->connection->createStatement());
        const std::unique_ptr<sql::ResultSet> result(statement->executeQuery(sql));
        const row_view row(*result);
        while (result->next()) each(row);
    });
}

void mysql_session::execute_text(const std::string& sql) {
    impl_->guarded([&] {
        const std::unique_ptr<sql::Statement> statement(impl_->connection->createStatement());
        statement->execute(sql);
    });
}

void mysql_session::transaction(const std::function<void()>& work) {
    execute_text("START TRANSACTION");
    impl_->in_transaction = true;
    try {
        work();
        execute_text("COMMIT");
        impl_->in_transaction = false;
    } catch (...) {
        impl_->in_transaction = false;
        try {
            if (impl_->connection) execute_text("ROLLBACK");
        } catch (const std::exception&) {
            impl_->drop();  // the server rolls back what a lost connection left
        }
        throw;
    }
}

std::uint64_t mysql_session::refusals() const { return impl_->refusals; }

const std::string& mysql_session::database() const { return impl_->database; }

const std::string& mysql_session::server_version() {
    impl_->guarded([] {});
    return impl_->version;
}

bool mysql_session::is_mariadb() { return server_version().find("MariaDB") != std::string::npos; }

const std::string& mysql_session::cipher() {
    impl_->guarded([] {});
    return impl_->cipher;
}

}  // namespace outbox
