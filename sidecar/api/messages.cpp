// The routes below /messages that look at messages.
#include <algorithm>

#include "sidecar/api/cursor.hpp"
#include "sidecar/api/routes.hpp"
#include "sidecar/api/shown_body.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/entry_view.hpp"
#include "sidecar/message_view.hpp"

namespace sidecar::api {
namespace {

constexpr std::size_t most_body = 1024 * 1024;
constexpr std::size_t most_failures = 20;

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

answer count(const request& asked, outbox::store& store) {
    auto in = values::of_query(asked);
    const auto filter = read_filter(in);
    const auto at_most = static_cast<std::uint64_t>(in.number("at_most", 1, 1'000'000).value_or(100'000));
    in.done();
    const auto found = store.count(filter, at_most + 1);
    return json_answer({{"count", std::min(found, at_most)}, {"complete", found <= at_most}});
}

// What the row itself tells of its way, the earliest first.
json timeline_of(const outbox::summary& one) {
    auto all = json::array();
    const auto add = [&](const std::optional<outbox::epoch_ms>& time, const char* what, const std::string& detail) {
        if (time) all.push_back({{"time", *time}, {"what", what}, {"detail", detail}});
    };
    const auto tries = std::to_string(one.try_count) + (one.try_count == 1 ? " try" : " tries");
    add(one.create_time, "created", "");
    switch (one.status) {
        case static_cast<int>(outbox::status::delivering):
            if (one.try_count > 0) add(one.update_time, "refused", tries + ": " + one.last_error.value_or(""));
            add(one.next_try_time, one.try_count > 0 ? "next try" : "due", "");
            break;
        case static_cast<int>(outbox::status::delivered): add(one.update_time, "delivered", ""); break;
        case static_cast<int>(outbox::status::failed):
            add(one.update_time, "failed", tries + ": " + one.last_error.value_or(""));
            break;
        case static_cast<int>(outbox::status::consumed): add(one.update_time, "consumed", ""); break;
        default: add(one.update_time, "changed", "status " + std::to_string(one.status)); break;
    }
    return all;
}

// The latest ones; null when they can't be found in time: there may be no index for it.
json failures_of(const std::string& id, outbox::store& store) {
    try {
        auto all = json::array();
        if (!store.has_ledger()) return all;
        outbox::ledger_filter filter;
        filter.message_id = id;
        for (const auto& one : store.entries(filter, std::nullopt, most_failures)) all.push_back(entry_json(one));
        return all;
    } catch (const outbox::store_busy&) {
    } catch (const outbox::store_unavailable&) {
    } catch (const outbox::store_error&) {
    }
    return nullptr;
}

answer show(const request& asked, outbox::store& store) {
    auto in = values::of_query(asked);
    const auto bytes = static_cast<std::size_t>(in.number("body_bytes", 0, most_body).value_or(64 * 1024));
    in.done();
    const auto found = store.show(asked.param("id"), bytes);
    if (!found) throw problem(404, "there is no such message");
    auto document = summary_json(found->what);
    document["headers"] = document_of(found->headers);
    document["properties"] = document_of(found->properties);
    document["body"] = shown_body(found->body, found->what.body_size);
    document["timeline"] = timeline_of(found->what);
    document["failures"] = failures_of(found->what.id, store);
    return json_answer(document);
}

}  // namespace

void add_messages(router& to, const surroundings&) {
    to.add("GET", "/messages", needs::viewing, list);
    to.add("GET", "/messages/count", needs::viewing, count);
    to.add("GET", "/messages/{id}", needs::viewing, show);
}

}  // namespace sidecar::api
