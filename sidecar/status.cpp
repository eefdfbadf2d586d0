#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "outbox/store.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/lanes_view.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"
#include "sidecar/watch.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;

struct overview {
    outbox::backlog backlog;
    std::optional<outbox::lease_table> lanes;  // nullopt: there is no such table
    std::vector<outbox::migration_state> migrations;

    std::optional<std::chrono::milliseconds> oldest_age() const {
        if (!backlog.oldest_due) return std::nullopt;
        return std::chrono::milliseconds(backlog.now - *backlog.oldest_due);
    }
};

void print_json(const overview& all, const context& at) {
    auto rows = json::array();
    for (const auto& [status, count] : all.backlog.by_status)
        rows.push_back({{"status", status}, {"name", status_name(status)}, {"rows", count}});
    auto migrations = json::array();
    for (const auto& one : all.migrations)
        migrations.push_back({{"number", one.number},
                              {"name", one.name},
                              {"applied_at", one.applied_at ? json(*one.applied_at) : json()}});
    const auto age = all.oldest_age();
    json document = {{"rows", rows},
                     {"due", all.backlog.due},
                     {"oldest_due_age_ms", age ? json(age->count()) : json()},
                     {"now", all.backlog.now},
                     {"lanes", all.lanes ? json(lanes_json(*all.lanes)) : json()},
                     {"migrations", migrations}};
    if (const auto& keys = all.backlog.blocked_keys)
        document["blocked_keys"] = {{"count", keys->count}, {"complete", keys->complete}};
    std::cout << printed(at, document);
}

void print_lanes(const overview& all) {
    if (!all.lanes) {
        std::cout << "There is no table msg_lane, or no right to it: run only one sidecar, or `migrate`.\n";
        return;
    }
    table rows({table::align::left, table::align::left});
    for (const auto& one : all.lanes->leases) {
        const bool held = is_held(one, all.lanes->now);
        rows.add({fmt::format("lane {} of {}", one.lane, one.lanes), held ? one.owner : "held by nobody"});
    }
    if (all.lanes->leases.empty())
        std::cout << "No sidecar has run yet.\n";
    else
        std::cout << rows.print(terminal_width(STDOUT_FILENO));
}

void print_text(const overview& all) {
    auto counts = all.backlog.by_status;
    for (const int known : {0, 1, 2, 3}) counts.try_emplace(known, 0);
    table rows({table::align::right, table::align::left, table::align::left});
    for (const auto& [status, count] : counts)
        rows.add({grouped(count), std::string(status_name(status)), fmt::format("(status {})", status)});
    const auto age = all.oldest_age();
    rows.add({grouped(all.backlog.due), "due now",
              age ? fmt::format("the oldest for {}", rough(std::max(*age, std::chrono::milliseconds{0}))) : ""});
    if (const auto& keys = all.backlog.blocked_keys)
        rows.add(
            {grouped(keys->count), "keys blocked", keys->complete ? "" : "or more: the first 10,000 due rows tell"});
    std::size_t pending = 0;
    for (const auto& one : all.migrations) pending += one.applied_at ? 0 : 1;
    std::cout << rows.print(terminal_width(STDOUT_FILENO));
    print_lanes(all);
    std::cout << (pending == 0
                      ? "All migrations are applied.\n"
                      : fmt::format("{} migration(s) not recorded as applied; see `migrate --status`.\n", pending));
}

}  // namespace

int status(const command::status& options, const context& at) {
    if (options.watch) return watch(options.interval, at);
    const auto& relay = at.settings.relay;
    const auto store =
        outbox::make_store(at.settings.database, {relay.after_delivery, "status", relay.ordered, relay.on_failed});
    overview all;
    all.backlog = store->backlog();
    if (store->has_leases()) all.lanes = store->read_leases();
    all.migrations = store->migration_status();
    at.json ? print_json(all, at) : print_text(all);
    return exit_code::success;
}

}  // namespace sidecar
