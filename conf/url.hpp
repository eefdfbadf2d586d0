#pragma once
// conf/url.hpp - addresses of databases, brokers and HTTP servers. No message of an error ever repeats a part of the
// url, because a forgotten percent sign can make any part of it the password.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace conf {

/// scheme://user:password@host:port/path?query, taken apart as RFC 3986 has it. User, password and path are
/// percent-decoded; the host of an IPv6 address is without its brackets.
struct url {
    std::string scheme;  // lower case
    std::string user;    // empty: none given
    std::optional<std::string> password;
    std::string host;        // may be empty for postgresql, and for sqlite:///file
    std::uint16_t port = 0;  // the scheme's own where none is given: 3306, 5432, 5672, 5671, 80, 443; 0: it has none
    std::string path;        // with its leading slash; empty: none
    std::string query;       // as given, without the question mark
    std::string target;      // path and query as they were written, for HTTP; "/" where there is no path

    /// The path without its leading slash: the database's name.
    std::string database() const;

    /// The virtual host that an amqp url names: `amqp://host/orders` is "orders", `amqp://host/%2Forders` is "/orders".
    /// No path is the default "/". So is a lone slash, which the RabbitMQ URI specification
    /// (https://www.rabbitmq.com/docs/uri-spec) takes for the host with the empty name, and people for the default.
    std::string vhost() const;
};

/// Throws wrong_value (conf/units.hpp) with a whole sentence about the fault. `log:` is an url without an address.
url parse_url(std::string_view text);

/// The url with *** for its password and its query; for logs and for `check`. Takes any text, also one that
/// parse_url refuses, and then rather hides too much.
std::string masked(std::string_view text);

}  // namespace conf
