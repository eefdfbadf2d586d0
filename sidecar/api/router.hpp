#pragma once
// sidecar/api/router.hpp - which handler answers what, and who may ask.

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "outbox/store.hpp"
#include "sidecar/api/exchange.hpp"

namespace sidecar::api {

/// What a route asks of its callers.
enum class needs {
    nothing,    // anyone, also without a token
    viewing,    // a viewer or an operator
    operating,  // an operator
    reporting,  // a consumer or an operator
};

bool permits(needs what, std::optional<role> who);

/// Asks the database: called on a thread that may block, with a store that is this thread's alone meanwhile. May throw
/// a problem, or what a store throws, which is answered by 503 (unavailable, busy) or 500.
using store_handler = std::function<answer(const request&, outbox::store&)>;
/// Called on the thread that serves all connections: asks nobody, and is done at once. May throw a problem.
using quick_handler = std::function<answer(const request&)>;

struct route {
    std::string method;   // "GET", "POST" or "DELETE"
    std::string pattern;  // below /api/v1: "/messages/{id}"
    needs who = needs::operating;
    std::variant<store_handler, quick_handler> handler;
};

/// There is no such path.
struct no_such_path {};
/// There is, but not for this method.
struct no_such_method {
    std::string allowed;  // "GET, HEAD, POST"
};
struct match {
    const route* to = nullptr;
    std::map<std::string, std::string, std::less<>> params;
};

/// Filled before it is used; after that, any thread may ask.
class router {
  public:
    void add(std::string method, std::string pattern, needs who, store_handler handler);
    void add_quick(std::string method, std::string pattern, needs who, quick_handler handler);

    /// `path` as it was sent, below /api/v1. Its segments are compared with a pattern's before they are decoded, and a
    /// segment that is the same goes before a {parameter}. HEAD is a GET.
    std::variant<match, no_such_method, no_such_path> find(std::string_view method, std::string_view path) const;

    const std::vector<route>& all() const { return routes_; }

  private:
    std::vector<route> routes_;
};

/// With "%20" and the like decoded; `plus`: also "+" as a space, as in a query. nullopt: broken, or not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text, bool plus);

/// The query of a target ("a=1&b=%20"), decoded. Throws a problem.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text);

}  // namespace sidecar::api
