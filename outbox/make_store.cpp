#include <fmt/format.h>

#include <stdexcept>

#include "conf/url.hpp"
#include "outbox/mysql.hpp"
#include "outbox/postgresql.hpp"
#include "outbox/soci_store.hpp"
#include "outbox/sqlite.hpp"

namespace outbox {

std::unique_ptr<store> make_store(const conf::database& database, const store_options& options) {
    const auto scheme = conf::parse_url(database.url).scheme;
    if (scheme == "mysql" || scheme == "mariadb") return std::make_unique<mysql_store>(database, options);
    if (scheme == "postgresql" || scheme == "postgres")
        return std::make_unique<soci_store>(database, options, make_postgresql_dialect(database, options.role));
    if (scheme == "sqlite") return std::make_unique<soci_store>(database, options, make_sqlite_dialect(database));
    throw std::invalid_argument(
        fmt::format("database.url: no store for `{}`; there is one for mysql, mariadb, postgresql, sqlite", scheme));
}

std::unique_ptr<news> make_news(const conf::database& database) {
    const auto scheme = conf::parse_url(database.url).scheme;
    if (scheme == "postgresql" || scheme == "postgres") return make_postgresql_news(database);
    throw std::invalid_argument(fmt::format("database.notify: `{}` does not tell of new messages", scheme));
}

}  // namespace outbox
