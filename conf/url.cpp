#include "conf/url.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "conf/units.hpp"

namespace conf {
namespace {

struct scheme_rules {
    std::string_view name;
    std::uint16_t port;
    bool needs_host;
};

constexpr std::array<scheme_rules, 9> known_schemes{{{"mysql", 3306, true},
                                                     {"mariadb", 3306, true},
                                                     {"postgresql", 5432, false},
                                                     {"postgres", 5432, false},
                                                     {"amqp", 5672, true},
                                                     {"amqps", 5671, true},
                                                     {"http", 80, true},
                                                     {"https", 443, true},
                                                     {"sqlite", 0, false}}};

scheme_rules rules_of(std::string_view scheme) {
    const auto found = std::find_if(known_schemes.begin(), known_schemes.end(),
                                    [&](const scheme_rules& s) { return s.name == scheme; });
    return found == known_schemes.end() ? scheme_rules{scheme, 0, false} : *found;
}

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string percent_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) throw wrong_value{"the url has a % without two hex digits behind it; write % as %25"};
        if (high == 0 && low == 0) throw wrong_value{"the url has a %00"};
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

/// Cuts what stands before `mark` off the front of `text`; false, and all of it, if there is no mark.
bool cut(std::string_view& text, char mark, std::string_view& before) {
    const auto at = text.find(mark);
    before = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    return at != std::string_view::npos;
}

std::string parse_scheme(std::string_view& rest) {
    const auto end = rest.find("://");
    if (end == std::string_view::npos || end == 0)
        throw wrong_value{"the url has no scheme; it looks like scheme://user@host:port/name"};
    std::string scheme{rest.substr(0, end)};
    const bool plain = std::all_of(scheme.begin(), scheme.end(),
                                   [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
    if (!plain) throw wrong_value{"the url's scheme has characters that no scheme has"};
    std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    rest.remove_prefix(end + 3);
    return scheme;
}

void parse_user(std::string_view user_info, url& u) {
    std::string_view user;
    const bool has_password = cut(user_info, ':', user);
    u.user = percent_decode(user);
    if (has_password) u.password = percent_decode(user_info);
}

/// Takes the host off the front and leaves ":port" or nothing.
std::string parse_host(std::string_view& rest) {
    const bool bracketed = rest.starts_with('[');
    const auto end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
    if (end == std::string_view::npos) throw wrong_value{"the url's host begins with [ but has no ]"};
    const std::string host{bracketed ? rest.substr(1, end - 1) : rest.substr(0, end)};
    rest.remove_prefix(bracketed ? end + 1 : end);

    const std::string_view punctuation = bracketed ? ":.%" : "-_.";
    const bool plain = std::all_of(
        host.begin(), host.end(), [&](char c) { return is_alnum(c) || punctuation.find(c) != std::string_view::npos; });
    if (!plain) throw wrong_value{"the url's host has characters that no host has; write IPv6 addresses in [ ]"};
    if (bracketed && host.find(':') == std::string::npos) throw wrong_value{"the url has no IPv6 address in its [ ]"};
    return host;
}

std::uint16_t parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0)
        throw wrong_value{
            "the url has no port of 1 to 65535 behind its host's colon; "
            "in a user or password write : / ? # @ as %3A %2F %3F %23 %40"};
    return port;
}

void parse_authority(std::string_view authority, url& u) {
    const auto at = authority.find('@');
    if (at != std::string_view::npos) {
        if (authority.find('@', at + 1) != std::string_view::npos)
            throw wrong_value{"the url has more than one @; in a user or password write it as %40"};
        parse_user(authority.substr(0, at), u);
        authority.remove_prefix(at + 1);
    }
    const auto rules = rules_of(u.scheme);
    u.host = parse_host(authority);
    if (u.host.empty() && (rules.needs_host || !authority.empty())) throw wrong_value{"the url has no host"};
    u.port = authority.empty() ? rules.port : parse_port(authority.starts_with(':') ? authority.substr(1) : "");
}

}  // namespace

url parse_url(std::string_view text) {
    const auto forbidden = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
    if (std::any_of(text.begin(), text.end(), forbidden))
        throw wrong_value{"the url has a space or a control character; write it percent-encoded"};
    if (text.find('#') != std::string_view::npos) throw wrong_value{"the url has a #; write it as %23"};

    url u;
    if (text == "log:") {
        u.scheme = "log";
        return u;
    }
    std::string_view rest = text;
    u.scheme = parse_scheme(rest);
    if (u.scheme == "log") throw wrong_value{"the url log: has nothing behind its colon"};
    std::string_view before_query;
    const bool has_query = cut(rest, '?', before_query);
    u.query = rest;
    const auto slash = std::min(before_query.find('/'), before_query.size());
    parse_authority(before_query.substr(0, slash), u);

    const auto raw_path = before_query.substr(slash);
    const bool amqp = u.scheme == "amqp" || u.scheme == "amqps";
    if (amqp && raw_path.find('/', 1) != std::string_view::npos)
        throw wrong_value{"the url's virtual host has a / in it; write it as %2F"};
    u.path = percent_decode(raw_path);
    u.target = std::string{raw_path.empty() ? "/" : raw_path} + (has_query ? "?" + u.query : "");
    if (u.scheme == "sqlite" && slash > 0)
        throw wrong_value{"the url names a host, which a file has none of; write three slashes: sqlite:///folder/file"};
    return u;
}

std::string url::database() const { return path.empty() ? path : path.substr(1); }

std::string url::vhost() const { return path.size() <= 1 ? "/" : path.substr(1); }

std::string masked(std::string_view text) {
    const auto scheme_end = text.find("://");
    const auto scheme = scheme_end == std::string_view::npos ? std::string_view{} : text.substr(0, scheme_end + 3);
    auto rest = text.substr(scheme.size());

    // Up to the last @, not the first / or ?: an unescaped password may contain them.
    std::string user_info;
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        const auto colon = rest.find(':');
        const auto user = rest.substr(0, std::min(colon, at));
        if (scheme.empty() || user.find_first_of("/?#") != std::string_view::npos)
            user_info = "***@";
        else
            user_info = std::string{user} + (colon < at ? ":***@" : "@");
        rest.remove_prefix(at + 1);
    }
    const auto query = rest.find_first_of("?#");
    return std::string{scheme} + user_info + std::string{rest.substr(0, query)} +
           (query == std::string_view::npos ? "" : "?***");
}

}  // namespace conf
