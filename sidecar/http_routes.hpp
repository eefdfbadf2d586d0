#pragma once
// sidecar/http_routes.hpp - what is answered under which path.

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace sidecar {

struct http_answer {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

/// Filled before a server uses it; after that, any thread may ask.
class http_routes {
  public:
    void add(std::string path, std::function<http_answer()> answer) {
        answers_.emplace(std::move(path), std::move(answer));
    }

    /// What GET of this path brings: 404 for an unknown path, 500 when the answer itself throws. Never throws.
    http_answer get(std::string_view path) const;

    bool empty() const { return answers_.empty(); }

  private:
    std::map<std::string, std::function<http_answer()>, std::less<>> answers_;
};

}  // namespace sidecar
