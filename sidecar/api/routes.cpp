#include "sidecar/api/routes.hpp"

namespace sidecar::api {

router make_router(const surroundings& with) {
    router all;
    add_session(all, with);
    add_overview(all, with);
    add_messages(all, with);
    add_receipts(all, with);
    add_lanes(all, with);
    add_groups(all, with);
    add_message_changes(all, with);
    add_failures(all, with);
    add_redrive(all, with);
    add_jobs(all, with);
    return all;
}

}  // namespace sidecar::api
