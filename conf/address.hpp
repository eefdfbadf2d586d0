#pragma once
// conf/address.hpp - where to listen.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace conf {

struct address {
    std::string ip;  // IPv4 or IPv6, without brackets
    std::uint16_t port = 0;

    bool operator==(const address&) const = default;
};

/// "127.0.0.1:9464" or "[::1]:9464". nullopt for anything else, names of hosts included: what a name stands for may
/// change, and be another machine.
std::optional<address> parse_address(std::string_view text);

std::string to_text(const address& where);

}  // namespace conf
