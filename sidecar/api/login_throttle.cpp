#include "sidecar/api/login_throttle.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace sidecar::api {

std::optional<std::chrono::seconds> login_throttle::wait(const std::string& address, relay::time_point now) const {
    const auto found = all_.find(network_of(address));
    if (found == all_.end() || found->second.failures < most_failures) return std::nullopt;
    const auto left = found->second.since + window - now;
    if (left <= relay::time_point::duration::zero()) return std::nullopt;
    return std::chrono::ceil<std::chrono::seconds>(left);
}

void login_throttle::failed(const std::string& address, relay::time_point now) {
    if (all_.size() >= most_addresses)
        std::erase_if(all_, [&](const auto& one) { return now - one.second.since >= window; });
    if (all_.size() >= most_addresses)
        all_.erase(std::min_element(all_.begin(), all_.end(),
                                    [](const auto& a, const auto& b) { return a.second.since < b.second.since; }));
    auto& one = all_.try_emplace(network_of(address), record{now, 0}).first->second;
    if (now - one.since >= window) one = {now, 0};
    ++one.failures;
}

std::string network_of(const std::string& address) {
    in6_addr parsed{};
    if (inet_pton(AF_INET6, address.substr(0, address.find('%')).c_str(), &parsed) != 1) return address;
    // An IPv4 address in the clothes of IPv6 is one machine.
    if (IN6_IS_ADDR_V4MAPPED(&parsed)) return address;
    std::fill(parsed.s6_addr + 8, parsed.s6_addr + 16, 0);
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(AF_INET6, &parsed, text, sizeof text);
    return text;
}

}  // namespace sidecar::api
