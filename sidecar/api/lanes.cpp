// The route at /lanes: who relays what.
#include <map>

#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/lanes_view.hpp"

namespace sidecar::api {
namespace {

answer lanes(const request& asked, outbox::store& store) {
    values::of_query(asked).done();
    if (!store.has_leases())
        return json_answer({{"table", false}, {"lanes", json::array()}, {"instances", json::array()}});
    const auto table = store.read_leases();
    std::map<std::string, std::size_t> by_owner;
    for (const auto& one : table.leases) {
        if (is_held(one, table.now)) ++by_owner[one.owner];
    }
    auto instances = json::array();
    for (const auto& [owner, count] : by_owner) instances.push_back({{"owner", owner}, {"lanes", count}});
    return json_answer({{"table", true}, {"lanes", lanes_json(table)}, {"instances", instances}});
}

}  // namespace

void add_lanes(router& to, const surroundings&) { to.add("GET", "/lanes", needs::viewing, lanes); }

}  // namespace sidecar::api
