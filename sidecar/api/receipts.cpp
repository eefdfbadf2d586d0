// The route at /receipts: what consumers are done with.
#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"

namespace sidecar::api {
namespace {

constexpr std::size_t most_ids = 1'000;

answer record(const request& asked, outbox::store& store) {
    auto in = values::of_body(asked);
    const auto ids = in.texts("ids", most_ids);
    in.done();
    const auto taken = store.take_receipts(ids);
    auto result = json_answer({{"recorded", taken.changed},
                               {"unchanged", ids.size() - taken.changed - taken.unknown.size()},
                               {"unknown", taken.unknown}});
    result.audit = audit_of("receipts", ids);
    return result;
}

}  // namespace

void add_receipts(router& to, const surroundings&) { to.add("POST", "/receipts", needs::reporting, record); }

}  // namespace sidecar::api
