#include "sidecar/api/static_files.hpp"

#include <algorithm>

#include "relay/digest.hpp"
#include "sidecar/api/embedded_files.hpp"

namespace sidecar::api {

const static_file* find_static_file(std::string_view name) {
    const auto& all = embedded_files();
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::string_view content_type_of(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    if (name.ends_with(".yaml")) return "application/yaml";
    return "application/octet-stream";
}

std::string etag_of(const static_file& one) {
    constexpr std::string_view prefix = "sha256:";
    return '"' + relay::sha256_of(one.content).substr(prefix.size(), 32) + '"';
}

}  // namespace sidecar::api
