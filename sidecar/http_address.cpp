#include "sidecar/http_address.hpp"

#include <algorithm>
#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <initializer_list>

namespace sidecar {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct block {
    std::uint32_t net;
    int bits;
    const char* kind;
};

// The IANA's registry of special-purpose addresses, and multicast.
constexpr block blocks[] = {{0x00000000, 8, "an unspecified address"},
                            {0x7f000000, 8, "a loopback address"},
                            {0x0a000000, 8, "a private address"},
                            {0xac100000, 12, "a private address"},
                            {0xc0a80000, 16, "a private address"},
                            {0x64400000, 10, "an address of a provider's inner network (100.64.0.0/10)"},
                            {0xa9fe0000, 16, "a link-local address"},
                            {0xc0000000, 24, "a reserved address"},
                            {0xc6120000, 15, "a reserved address"},
                            {0xe0000000, 4, "a multicast address"},
                            {0xf0000000, 4, "a reserved address"}};

std::string why_local(const address_v4& ip) {
    for (const auto& one : blocks)
        if ((ip.to_uint() ^ one.net) >> (32 - one.bits) == 0) return one.kind;
    return {};
}

address_v4 within(const address_v6::bytes_type& bytes, std::size_t at) {
    return address_v4({bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
}

std::string why_local(const address_v6& ip) {
    const auto bytes = ip.to_bytes();
    const auto begins = [&](std::initializer_list<unsigned char> with) {
        return std::equal(with.begin(), with.end(), bytes.begin());
    };
    if (ip.is_unspecified()) return "an unspecified address";
    if (ip.is_loopback()) return "a loopback address";
    if (ip.is_v4_mapped() || begins({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return why_local(within(bytes, 12));
    if (begins({0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return why_local(within(bytes, 12));  // NAT64
    if (begins({0x00, 0x64, 0xff, 0x9b, 0, 1})) return "a private address";                             // likewise
    if (begins({0x20, 0x02})) return why_local(within(bytes, 2));                                       // 6to4
    if (begins({0x20, 0x01, 0, 0})) return "a tunnel's address";                                        // Teredo
    if (begins({0x01, 0, 0, 0, 0, 0, 0, 0})) return "a reserved address";
    if (bytes[0] == 0xfe && bytes[1] >= 0x80) return "a link-local address";
    if ((bytes[0] & 0xfe) == 0xfc) return "a private address";
    if (bytes[0] == 0xff) return "a multicast address";
    return {};
}

}  // namespace

std::string why_local(const std::string& ip) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(ip, error);
    if (error) return "not an address";
    return address.is_v4() ? why_local(address.to_v4()) : why_local(address.to_v6());
}

}  // namespace sidecar
