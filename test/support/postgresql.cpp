#include "test/support/postgresql.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "conf/url.hpp"
#include "outbox/store.hpp"
#include "test/support/database.hpp"

namespace support {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0')
        throw std::runtime_error(fmt::format("{} is not set: run the tests with test/run", name));
    return value;
}

// Whole statements can be megabytes long.
std::string shortened(const std::string& sql) { return sql.size() <= 300 ? sql : sql.substr(0, 300) + "…"; }

using result = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

std::string postgresql_url() { return variable("OUTBOX_TEST_POSTGRESQL_URL"); }

struct postgresql::impl {
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection{nullptr, &PQfinish};

    result run(const std::string& sql) {
        result answer(PQexec(connection.get(), sql.c_str()), &PQclear);
        const auto status = PQresultStatus(answer.get());
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) return answer;
        throw std::runtime_error(fmt::format("{} in: {}", PQerrorMessage(connection.get()), shortened(sql)));
    }
};

postgresql::postgresql(account as, const std::string& other_database) : impl_(std::make_unique<impl>()) {
    const auto url = conf::parse_url(postgresql_url());
    const bool root = as == account::root;
    const auto port = std::to_string(url.port);
    const auto database = other_database.empty() ? url.database() : other_database;
    const std::string user = root ? "root" : url.user;
    const std::string password =
        root ? variable("OUTBOX_TEST_POSTGRESQL_ROOT_PASSWORD") : url.password.value_or(std::string());
    // A lock that a test has left behind is to be an error, not an hour's wait.
    const std::array names{"host",     "port",    "dbname",           "user",
                           "password", "options", "application_name", static_cast<const char*>(nullptr)};
    const std::array values{url.host.c_str(), port.c_str(),
                            database.c_str(), user.c_str(),
                            password.c_str(), "-c lock_timeout=20s -c client_min_messages=warning",
                            "test",           static_cast<const char*>(nullptr)};
    impl_->connection.reset(PQconnectdbParams(names.data(), values.data(), 0));
    if (PQstatus(impl_->connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(impl_->connection.get()));
}

postgresql::~postgresql() = default;
postgresql::postgresql(postgresql&&) noexcept = default;
postgresql& postgresql::operator=(postgresql&&) noexcept = default;

std::uint64_t postgresql::execute(const std::string& sql) {
    const auto answer = impl_->run(sql);
    const std::string_view changed = PQcmdTuples(answer.get());
    const bool rows_only = PQresultStatus(answer.get()) == PGRES_TUPLES_OK;
    return rows_only || changed.empty() ? 0 : std::stoull(std::string(changed));
}

std::vector<postgresql::row> postgresql::rows(const std::string& sql) {
    const auto answer = impl_->run(sql);
    std::vector<row> all(static_cast<std::size_t>(PQntuples(answer.get())));
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
        for (int column = 0; column < PQnfields(answer.get()); ++column) {
            auto& value = all[static_cast<std::size_t>(i)].emplace_back();
            if (PQgetisnull(answer.get(), i, column) == 0) value = PQgetvalue(answer.get(), i, column);
        }
    }
    return all;
}

std::string postgresql::text(const std::string& sql) {
    const auto all = rows(sql);
    if (all.size() != 1) throw std::runtime_error(fmt::format("{} rows from: {}", all.size(), shortened(sql)));
    return all.front().front().value_or("NULL");
}

std::int64_t postgresql::number(const std::string& sql) {
    const auto value = text(sql);
    try {
        return std::stoll(value);
    } catch (const std::logic_error&) {
        throw std::runtime_error(fmt::format("'{}' is no number, from: {}", value, shortened(sql)));
    }
}

own_schema::own_schema() : name_(unique_name("schema")) { postgresql().execute("CREATE SCHEMA " + name_); }

own_schema::~own_schema() {
    try {
        postgresql().execute("DROP SCHEMA " + name_ + " CASCADE");
    } catch (const std::exception&) {
        // As for tables.
    }
}

postgresql_table postgresql_table::recommended(const std::string& schema) {
    postgresql_table made((schema.empty() ? "" : schema + ".") + unique_name("outbox"));
    outbox::make_store(made.settings(), {})->migrate();
    return made;
}

postgresql_table postgresql_table::of(const std::string& ddl) {
    postgresql_table made(unique_name("outbox"));
    postgresql().execute(made.in(ddl));
    return made;
}

postgresql_table::~postgresql_table() {
    if (name_.empty()) return;
    try {
        postgresql server;
        server.execute(in("DROP TABLE IF EXISTS {}"));
        for (const std::string shared : {"outbox_migration", "msg_lane"}) {
            if (server.text("SELECT to_regclass('" + shared + "') IS NOT NULL") == "t")
                server.execute(in("DELETE FROM " + shared + " WHERE table_name = '{}'"));
        }
    } catch (const std::exception&) {
        // The server may be what the test has taken away; the next test's table has another name.
    }
}

postgresql_table::postgresql_table(postgresql_table&& other) noexcept : name_(std::exchange(other.name_, {})) {}

conf::database postgresql_table::settings() const {
    conf::database settings;
    settings.url = postgresql_url();
    settings.table = name_;
    return settings;
}

std::string postgresql_table::in(std::string sql) const {
    for (auto at = sql.find("{}"); at != sql.npos; at = sql.find("{}", at + name_.size())) sql.replace(at, 2, name_);
    return sql;
}

std::string postgresql_bytes(std::string_view any) {
    std::string literal = "'\\x";
    for (const char c : any) literal += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return literal + "'::bytea";
}

std::string postgresql_text(std::string_view utf8) { return "convert_from(" + postgresql_bytes(utf8) + ", 'UTF8')"; }

}  // namespace support
