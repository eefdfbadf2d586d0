#include "sidecar/http_routes.hpp"

#include <exception>

namespace sidecar {

http_answer http_routes::get(std::string_view path) const {
    const auto found = answers_.find(path);
    if (found == answers_.end()) return {.status = 404, .body = "there is nothing here\n"};
    try {
        return found->second();
    } catch (const std::exception& error) {
        return {.status = 500, .body = std::string(error.what()) + "\n"};
    }
}

}  // namespace sidecar
