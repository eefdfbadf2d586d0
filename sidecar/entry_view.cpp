#include "sidecar/entry_view.hpp"

#include "sidecar/message_view.hpp"

namespace sidecar {

using json = nlohmann::ordered_json;

std::string_view name_of(outbox::ledger_entry::side side) {
    return side == outbox::ledger_entry::side::producer ? "producer" : "consumer";
}

json entry_json(const outbox::ledger_entry& one) {
    return {{"entry", one.id},
            {"side", name_of(one.failed_on)},
            {"message_id", one.message_id},
            {"exchange", one.exchange},
            {"routing_key", one.routing_key},
            {"key", json_or_null(one.key)},
            {"headers", json_or_null(one.headers)},
            {"reason", one.reason},
            {"payload_size", one.payload_size},
            {"message_created", json_or_null(one.message_created)},
            {"retries", one.retries},
            {"last_retry_succeeded", one.last_retry_succeeded},
            {"filed", json_or_null(one.filed)}};
}

json groups_json(const outbox::failure_groups& found) {
    auto groups = json::array();
    for (const auto& one : found.groups)
        groups.push_back({{"side", name_of(one.side)},
                          {"exchange", one.exchange},
                          {"reason", one.reason},
                          {"entries", one.entries},
                          {"oldest", json_or_null(one.oldest)},
                          {"latest", json_or_null(one.latest)}});
    return {{"groups", groups}, {"looked_at", found.looked_at}, {"complete", found.complete}};
}

json groups_json(const outbox::message_groups& found) {
    auto groups = json::array();
    for (const auto& one : found.groups)
        groups.push_back({{"exchange", one.exchange},
                          {"error", json_or_null(one.error)},
                          {"rows", one.rows},
                          {"oldest_update_time", json_or_null(one.oldest)},
                          {"latest_update_time", json_or_null(one.latest)}});
    return {{"groups", groups}, {"looked_at", found.looked_at}, {"complete", found.complete}};
}

}  // namespace sidecar
