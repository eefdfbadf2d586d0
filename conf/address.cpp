#include "conf/address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace conf {
namespace {

bool is_ip(int family, const std::string& text) {
    in6_addr room{};
    return inet_pton(family, text.c_str(), &room) == 1;
}

}  // namespace

std::optional<address> parse_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == text.npos || text.find('\0') != text.npos) return std::nullopt;
    auto ip = text.substr(0, colon);
    const auto port = text.substr(colon + 1);
    const bool v6 = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
    if (v6) ip = ip.substr(1, ip.size() - 2);

    address result{std::string(ip), 0};
    if (!is_ip(v6 ? AF_INET6 : AF_INET, result.ip)) return std::nullopt;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
    return result;
}

std::string to_text(const address& where) {
    const auto port = std::to_string(where.port);
    return where.ip.find(':') == std::string::npos ? where.ip + ":" + port : "[" + where.ip + "]:" + port;
}

}  // namespace conf
