#pragma once
// sidecar/http_address.hpp - which addresses are not out on the internet: what an url from a configuration, or a name
// server that somebody else rules, must not lead to unasked.

#include <string>

namespace sidecar {

/// What kind of address it is, "a loopback address" say, if it belongs to this machine, to its network, to a cloud's
/// metadata service or to nobody; empty for any other. IPv4 within IPv6 (mapped, NAT64, 6to4) counts as the IPv4
/// address. Pure. What is no address is refused, too.
std::string why_local(const std::string& ip);

}  // namespace sidecar
