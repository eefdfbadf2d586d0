#include "sidecar/http_front.hpp"

#include <map>
#include <string>

#include "sidecar/probes.hpp"

namespace sidecar {
namespace {

struct listener {
    std::string setting;  // "http.probes"
    std::string serves;   // paths, for the log
    http_routes routes;
};

void merge(listener& into, const std::string& setting, const std::string& serves) {
    into.setting += (into.setting.empty() ? "" : ", ") + setting;
    into.serves += (into.serves.empty() ? "" : " ") + serves;
}

}  // namespace

http_front::http_front(const conf::http& settings, const source_records& of, log& out) {
    std::map<std::string, listener> by_address;
    if (!settings.probes.empty()) {
        auto& one = by_address[settings.probes];
        merge(one, "http.probes", "/livez /readyz /startupz");
        add_probes(one.routes, of);
    }
    if (!settings.metrics.empty()) {
        auto& one = by_address[settings.metrics];
        merge(one, "http.metrics", "/metrics");
        one.routes.add("/metrics",
                       [&of] { return http_answer{.content_type = metrics::content_type, .body = of.metrics_text()}; });
    }
    for (auto& [where, one] : by_address) {
        try {
            servers_.emplace_back(conf::parse_address(where).value(), std::move(one.routes));
        } catch (const http_unavailable& error) {
            throw http_unavailable(one.setting + ": " + error.what(), error.in_use());
        }
        out.info("http_listening", "answering over HTTP",
                 {{"address", conf::to_text(servers_.back().server.where())}, {"paths", one.serves}});
    }
    for (auto& one : servers_) one.thread = std::thread([&one] { one.server.run(); });
}

http_front::~http_front() {
    for (auto& one : servers_) one.server.stop();
    for (auto& one : servers_) one.thread.join();
}

}  // namespace sidecar
