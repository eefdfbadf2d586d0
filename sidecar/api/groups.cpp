// What failed and why: GET /messages/groups.
#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/entry_view.hpp"

namespace sidecar::api {
namespace {

answer groups(const request& asked, outbox::store& store) {
    auto in = values::of_query(asked);
    auto filter = read_filter(in);
    if (!filter.status) filter.status = static_cast<int>(outbox::status::failed);
    const auto limit = static_cast<std::size_t>(in.number("limit", 1, 500).value_or(50));
    in.done();
    return json_answer(groups_json(store.groups(filter, most_looked_at_for_groups, limit)));
}

}  // namespace

void add_groups(router& to, const surroundings&) { to.add("GET", "/messages/groups", needs::viewing, groups); }

}  // namespace sidecar::api
