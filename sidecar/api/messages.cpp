// The routes below /messages that look at one message or list them, and those that change messages by their ids.
#include "sidecar/api/cursor.hpp"
#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/message_view.hpp"

namespace sidecar::api {
namespace {

answer list(const request& asked, outbox::store& store) {
    auto in = values::of_query(asked);
    const auto filter = read_filter(in);
    const auto limit = static_cast<std::size_t>(in.number("limit", 1, 500).value_or(50));
    const auto cursor = in.text("cursor");
    in.done();
    const auto found = store.list(filter, cursor ? std::optional(parse_cursor(*cursor)) : std::nullopt, limit);
    auto messages = json::array();
    for (const auto& one : found.rows) messages.push_back(summary_json(one));
    return json_answer(
        {{"messages", messages}, {"next", found.next ? json(cursor_of(*found.next)) : json()}, {"now", store.clock()}});
}

}  // namespace

void add_messages(router& to, const surroundings&) { to.add("GET", "/messages", needs::viewing, list); }

}  // namespace sidecar::api
