#pragma once
// sidecar/probes.hpp - /livez, /readyz and /startupz, as Kubernetes asks for them.

#include "sidecar/http_routes.hpp"
#include "sidecar/vitals.hpp"

namespace sidecar {

/// 200 {"status":"ok"}, or 503 {"status":"failing","reasons":["broker: …"]}.
http_answer probe_answer(const verdict& what);

/// `of` is asked for live(), ready() and started(): vitals, or those of several sources. It has to outlive the routes'
/// use.
template <class Health>
void add_probes(http_routes& to, const Health& of) {
    to.add("/livez", [&of] { return probe_answer(of.live()); });
    to.add("/readyz", [&of] { return probe_answer(of.ready()); });
    to.add("/startupz", [&of] { return probe_answer(of.started()); });
}

}  // namespace sidecar
