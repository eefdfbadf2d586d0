#include "sidecar/message_change.hpp"

#include <fmt/format.h>

#include <set>

#include "sidecar/message_view.hpp"

namespace sidecar {
namespace {

using outbox::status;

constexpr std::size_t batch = 500;
constexpr auto locked = "somebody else holds its lock";

// Nullopt: it is changed, or would be.
std::optional<unchanged_message> change_one(outbox::store& store, const message_action& what, const std::string& id,
                                            bool dry_run) {
    std::string why = "somebody else was changing it";
    try {
        if (!dry_run && what.apply(store, std::span(&id, 1)) > 0) return std::nullopt;
    } catch (const outbox::store_busy&) {
        why = locked;
    }
    const auto found = store.show(id, 0);
    if (!found) return unchanged_message{id, std::nullopt, "there is no such message"};
    const auto objection = what.objection(found->what.status);
    if (objection.empty() && dry_run) return std::nullopt;
    return unchanged_message{id, found->what.status, objection.empty() ? why : objection};
}

// A row that somebody holds the lock of keeps none of the others from being changed.
void change_page(outbox::store& store, const message_action& what, const std::vector<outbox::summary>& page,
                 change_report& into) {
    std::vector<std::string> ids;
    for (const auto& one : page) ids.push_back(one.id);
    try {
        into.changed += what.apply(store, ids);
    } catch (const outbox::store_busy&) {
        for (const auto& one : page) {
            try {
                into.changed += what.apply(store, std::span(&one.id, 1));
            } catch (const outbox::store_busy&) {
                into.left.push_back({one.id, one.status, locked});
            }
        }
    }
}

}  // namespace

message_action putting_back(bool also_delivered, const std::string& force) {
    return {"retry", "Put back", "put back",
            [=](outbox::store& store, std::span<const std::string> ids) { return store.retry(ids, also_delivered); },
            [=](int found) -> std::string {
                switch (found) {
                    case static_cast<int>(status::failed): return "";
                    case static_cast<int>(status::delivering): return "it is to be delivered already";
                    case static_cast<int>(status::delivered):
                        return also_delivered ? "" : fmt::format("it has been delivered; {} sends it again", force);
                    case static_cast<int>(status::consumed): return "it has been consumed";
                    default: return fmt::format("its status, {}, is not known", found);
                }
            }};
}

message_action deletion(bool also_undelivered, const std::string& force) {
    return {"delete", "Delete", "deleted",
            [=](outbox::store& store, std::span<const std::string> ids) { return store.remove(ids, also_undelivered); },
            [=](int found) -> std::string {
                if (found != static_cast<int>(status::delivering) || also_undelivered) return "";
                return fmt::format("it is still to be delivered; {} deletes it all the same", force);
            }};
}

nlohmann::ordered_json change_json(const change_report& report, bool dry_run) {
    auto left = nlohmann::ordered_json::array();
    for (const auto& one : report.left)
        left.push_back({{"id", one.id}, {"status", json_or_null(one.status)}, {"why", one.why}});
    return {{"dry_run", dry_run}, {"changed", report.changed}, {"unchanged", left}, {"complete", report.complete}};
}

change_report change_messages(outbox::store& store, const message_action& what, std::span<const std::string> ids,
                              bool dry_run) {
    change_report result;
    std::set<std::string> seen;
    for (const auto& id : ids) {
        if (!seen.insert(id).second) continue;
        if (auto left = change_one(store, what, id, dry_run))
            result.left.push_back(std::move(*left));
        else
            ++result.changed;
    }
    return result;
}

void change_matching(outbox::store& store, const message_action& what, const outbox::message_filter& filter,
                     const std::function<bool()>& go_on, const std::function<void(std::uint64_t)>& progress,
                     change_report& into) {
    std::optional<outbox::list_place> at;
    do {
        into.complete = go_on();
        if (!into.complete) break;
        const auto page = store.list(filter, at, batch, false);
        change_page(store, what, page.rows, into);
        progress(into.changed);
        at = page.next;
    } while (at);
}

}  // namespace sidecar
