#pragma once
// sidecar/probes.hpp - /livez, /readyz and /startupz, as Kubernetes asks for them.

#include "sidecar/http_routes.hpp"
#include "sidecar/vitals.hpp"

namespace sidecar {

/// 200 {"status":"ok"}, or 503 {"status":"failing","reasons":["broker: …"]}. Both have to outlive the routes' use.
void add_probes(http_routes& to, const vitals& of);

}  // namespace sidecar
