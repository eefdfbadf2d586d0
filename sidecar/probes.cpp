#include "sidecar/probes.hpp"

#include <nlohmann/json.hpp>

namespace sidecar {
namespace {

http_answer answer_of(const verdict& what) {
    nlohmann::ordered_json body = {{"status", what.good ? "ok" : "failing"}};
    if (!what.good) body["reasons"] = what.reasons;
    // Reasons may be words of a server, in any encoding.
    auto text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    return {.status = what.good ? 200U : 503U, .content_type = "application/json", .body = std::move(text)};
}

}  // namespace

void add_probes(http_routes& to, const vitals& of) {
    to.add("/livez", [&of] { return answer_of(of.live()); });
    to.add("/readyz", [&of] { return answer_of(of.ready()); });
    to.add("/startupz", [&of] { return answer_of(of.started()); });
}

}  // namespace sidecar
