#pragma once
// sidecar/api/routes.hpp - all that the API answers, each group of routes in a file of its own.

#include <string>

#include "conf/settings.hpp"
#include "relay/clock.hpp"
#include "sidecar/api/access.hpp"
#include "sidecar/api/jobs.hpp"
#include "sidecar/api/router.hpp"
#include "sidecar/api/sampler.hpp"
#include "sidecar/pause_switch.hpp"
#include "sidecar/vitals.hpp"

namespace sidecar::api {

/// What the handlers work with. All of it outlives the router.
struct surroundings {
    const conf::settings& settings;  // those that the API was started with
    const relay::clock& clock;
    relay::time_point began;  // the process
    const vitals& health;
    const sampler& samples;
    access& who;
    pause_switch& pause;
    std::function<std::string()> instance;  // of the relay; any thread
    jobs& work;
};

router make_router(const surroundings& with);

// What make_router() puts together.
void add_session(router& to, const surroundings& with);
void add_overview(router& to, const surroundings& with);
void add_messages(router& to, const surroundings& with);
void add_receipts(router& to, const surroundings& with);
void add_lanes(router& to, const surroundings& with);
void add_groups(router& to, const surroundings& with);
void add_message_changes(router& to, const surroundings& with);
void add_failures(router& to, const surroundings& with);
void add_redrive(router& to, const surroundings& with);
void add_jobs(router& to, const surroundings& with);

}  // namespace sidecar::api
