#pragma once
// sidecar/api/guard.hpp - what keeps other sites, by way of a user's browser, from using the API. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace sidecar::api {

/// Whether the Host of a request is one under which this server is meant to be reached: localhost, an IP address, or
/// one of `names`. Others come from a name that somebody has pointed at this machine (DNS rebinding).
bool is_host_of(std::string_view host, const std::vector<std::string>& names);

/// How it is known who asks.
enum class proof {
    none,    // it is not, or everyone may
    token,   // Authorization: Bearer, which no browser adds by itself
    cookie,  // which browsers do
};

/// The parts of a request that changes something that say where it comes from. Empty: it has no such header.
struct origin_signs {
    proof by = proof::none;
    bool csrf_token_right = false;     // X-CSRF-Token
    bool json = false;                 // Content-Type: application/json, which no form can send
    std::string_view fetch_site = {};  // Sec-Fetch-Site
    std::string_view origin = {};      // Origin
    std::string_view host = {};        // Host
};

/// Why such a request is refused; empty: it is not.
std::string objection_to(const origin_signs& of);

/// The value of a cookie in the header Cookie; empty: it is not there.
std::string_view cookie_in(std::string_view header, std::string_view name);

}  // namespace sidecar::api
