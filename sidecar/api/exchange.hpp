#pragma once
// sidecar/api/exchange.hpp - what a handler of the API is asked, and what it answers.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sidecar::api {

using json = nlohmann::ordered_json;

/// What somebody may do: a viewer looks, an operator does all, a consumer reports receipts and no more.
enum class role { viewer, operating, consumer };

/// "viewer", "operator", "consumer".
std::string_view name_of(role one);
std::optional<role> role_named(std::string_view name);

struct caller {
    std::string name;            // as the tokens file has it; "anyone" without one
    std::optional<role> as;      // nullopt: not known, and nothing is for him
    std::string from;            // the address that he connected from
    std::string session_cookie;  // the value of the cookie, right or wrong; empty: none
    std::string csrf_token;      // what X-CSRF-Token has to be for him
};

struct request {
    std::string method;                                      // "GET", also for HEAD
    std::map<std::string, std::string, std::less<>> params;  // of the path, decoded: {"id": "…"}
    std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
    std::optional<json> body;                                // nullopt: there was none
    caller who;
    std::string if_none_match;  // the header; empty: none

    /// Of the path; it has to be in the route's pattern.
    const std::string& param(std::string_view name) const { return params.find(name)->second; }
};

struct answer {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string audit = {};  // of what changes something, for the log: "3 messages: a, b, c"
};

/// On one line; bytes that are not UTF-8 are replaced.
answer json_answer(const json& document, unsigned status = 200);
/// 204.
answer no_content();

/// "3 messages: a, b, c", of at most ten; for answer::audit.
std::string audit_of(std::string_view what, std::span<const std::string> ids);

/// Thrown by a handler: the request ends with this status, and with application/problem+json (RFC 9457) that says why.
class problem : public std::runtime_error {
  public:
    /// `retry_after`: seconds, for 429 and 503.
    problem(unsigned status, const std::string& detail, std::optional<int> retry_after = std::nullopt)
        : runtime_error(detail), status_(status), retry_after_(retry_after) {}

    unsigned status() const { return status_; }
    const std::optional<int>& retry_after() const { return retry_after_; }

  private:
    unsigned status_;
    std::optional<int> retry_after_;
};

answer answer_of(const problem& what);

}  // namespace sidecar::api
