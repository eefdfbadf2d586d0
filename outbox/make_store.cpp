#include <fmt/format.h>

#include <stdexcept>

#include "conf/url.hpp"
#include "outbox/mysql.hpp"

namespace outbox {

std::unique_ptr<store> make_store(const conf::database& database, const store_options& options) {
    const auto scheme = conf::parse_url(database.url).scheme;
    if (scheme == "mysql" || scheme == "mariadb") return std::make_unique<mysql_store>(database, options);
    throw std::invalid_argument(
        fmt::format("database.url: no store for `{}`; there is one for mysql, mariadb", scheme));
}

}  // namespace outbox
