#include "sidecar/api/routes.hpp"

namespace sidecar::api {

router make_router(const surroundings& with) {
    router all;
    add_messages(all, with);
    return all;
}

}  // namespace sidecar::api
