#include "sidecar/lanes_view.hpp"

namespace sidecar {

using json = nlohmann::ordered_json;

bool is_held(const outbox::lease& one, outbox::epoch_ms now) { return !one.owner.empty() && one.expires > now; }

json lanes_json(const outbox::lease_table& table) {
    auto lanes = json::array();
    for (const auto& one : table.leases) {
        const bool held = is_held(one, table.now);
        lanes.push_back({{"lane", one.lane},
                         {"lanes", one.lanes},
                         {"owner", held ? json(one.owner) : json()},
                         {"epoch", one.epoch},
                         {"expires_in_ms", held ? json(one.expires - table.now) : json()},
                         {"wanted_by", one.wanted_by.empty() ? json() : json(one.wanted_by)}});
    }
    return lanes;
}

}  // namespace sidecar
