#pragma once
// sidecar/api/login_throttle.hpp - slows down whoever tries one token after the other.

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "relay/clock.hpp"

namespace sidecar::api {

/// One thread at a time.
class login_throttle {
  public:
    static constexpr int most_failures = 10;              // of one address …
    static constexpr std::chrono::seconds window{60};     // … within this time
    static constexpr std::size_t most_addresses = 4'096;  // remembered; then the one that began first is forgotten

    /// How long this address has to wait before it may try again; nullopt: it may now.
    std::optional<std::chrono::seconds> wait(const std::string& address, relay::time_point now) const;

    void failed(const std::string& address, relay::time_point now);

  private:
    struct record {
        relay::time_point since;
        int failures = 0;
    };
    std::map<std::string, record> all_;  // by network
};

/// Of an IPv6 address its first 64 bits, as one customer has all of them; else the address itself.
std::string network_of(const std::string& address);

}  // namespace sidecar::api
