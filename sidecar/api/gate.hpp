#pragma once
// sidecar/api/gate.hpp - from a request to its handler: where it is to go, who asks, whether he may; and back with the
// answer. Knows no socket.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sidecar/api/access.hpp"
#include "sidecar/api/router.hpp"
#include "sidecar/api/worker_pool.hpp"

namespace sidecar::api {

/// What stands before the body. Empty: it has no such header.
struct request_head {
    std::string method;
    std::string target;  // "/api/v1/messages?limit=5"
    std::string host;
    std::string authorization;
    std::string cookie;
    std::string csrf_token;  // X-CSRF-Token
    std::string content_type;
    std::string fetch_site;  // Sec-Fetch-Site
    std::string origin;
    std::string if_none_match;
    bool has_body = false;
    std::string from;  // the address that it came from
};

/// A request that may go on to its handler.
struct admitted {
    const route* to = nullptr;
    request asked;
    std::size_t body_limit = 0;  // bytes; 0: it is to have none
};

/// admit(): the server's thread. The answer of handle() comes on the server's thread or one of the pool's.
class gate {
  public:
    /// All of it outlives this object. `hosts`: the names under which this server is reached.
    gate(const router& routes, access& who, worker_pool& pool, std::vector<std::string> hosts, log& out);

    static constexpr std::size_t largest_body = 1024 * 1024;

    /// Never throws.
    std::variant<admitted, answer> admit(const request_head& head) const;

    /// Calls `reply` once, perhaps before it returns; it must not throw.
    void handle(admitted&& what, std::string&& body, std::function<void(answer&&)> reply) const;

  private:
    std::variant<admitted, answer> admitted_or_not(const request_head& head) const;
    answer console(const request_head& head, std::string_view path) const;
    void refuse_other_sites(const request_head& head, const identity& known) const;
    void audit(const admitted& what, const answer& result) const;

    const router& routes_;
    access& access_;
    worker_pool& pool_;
    const std::vector<std::string> hosts_;
    log& out_;
};

/// Of a compiled-in file, or 304 when the client has it already.
answer file_answer(std::string_view name, std::string_view if_none_match);

}  // namespace sidecar::api
