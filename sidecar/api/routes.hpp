#pragma once
// sidecar/api/routes.hpp - all that the API answers, each group of routes in a file of its own.

#include "conf/settings.hpp"
#include "sidecar/api/router.hpp"

namespace sidecar::api {

/// What the handlers work with. All of it outlives the router.
struct surroundings {
    const conf::settings& settings;  // those that the API was started with
};

router make_router(const surroundings& with);

// What make_router() puts together.
void add_messages(router& to, const surroundings& with);

}  // namespace sidecar::api
