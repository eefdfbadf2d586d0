#include "sidecar/probes.hpp"

#include <nlohmann/json.hpp>

namespace sidecar {

http_answer probe_answer(const verdict& what) {
    nlohmann::ordered_json body = {{"status", what.good ? "ok" : "failing"}};
    if (!what.good) body["reasons"] = what.reasons;
    // Reasons may be words of a server, in any encoding.
    auto text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    return {.status = what.good ? 200U : 503U, .content_type = "application/json", .body = std::move(text)};
}

}  // namespace sidecar
