#include "sidecar/api/guard.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace sidecar::api {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equal_names(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == text.npos;
}

bool is_ip(int family, std::string_view text) {
    in6_addr room{};
    return inet_pton(family, std::string(text).c_str(), &room) == 1;
}

}  // namespace

bool is_host_of(std::string_view host, const std::vector<std::string>& names) {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == host.npos) return false;
        const auto rest = host.substr(end + 1);
        return is_ip(AF_INET6, host.substr(1, end - 1)) &&
               (rest.empty() || (rest[0] == ':' && is_port(rest.substr(1))));
    }
    if (const auto colon = host.find(':'); colon != host.npos) {
        if (!is_port(host.substr(colon + 1))) return false;
        host = host.substr(0, colon);
    }
    if (equal_names(host, "localhost") || is_ip(AF_INET, host)) return true;
    return std::any_of(names.begin(), names.end(), [&](const auto& name) { return equal_names(host, name); });
}

std::string objection_to(const origin_signs& of) {
    if (of.by == proof::token) return {};
    if (!of.fetch_site.empty() && of.fetch_site != "same-origin" && of.fetch_site != "none")
        return "this was asked by another site";
    if (!of.origin.empty()) {
        const auto scheme = of.origin.find("://");
        if (scheme == of.origin.npos || !equal_names(of.origin.substr(scheme + 3), of.host))
            return "this was asked by another site";
    }
    if (of.csrf_token_right || (of.by == proof::none && of.json)) return {};
    return of.by == proof::cookie ? "X-CSRF-Token is missing or wrong; GET /api/v1/session says what it is to be"
                                  : "it takes Content-Type: application/json, or X-CSRF-Token";
}

std::string_view cookie_in(std::string_view header, std::string_view name) {
    while (!header.empty()) {
        header.remove_prefix(std::min(header.find_first_not_of(" ;"), header.size()));
        const auto one = header.substr(0, header.find(';'));
        header.remove_prefix(one.size());
        const auto equals = one.find('=');
        if (equals != one.npos && one.substr(0, equals) == name) return one.substr(equals + 1);
    }
    return {};
}

}  // namespace sidecar::api
