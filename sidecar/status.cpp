#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "outbox/store.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;

struct overview {
    outbox::backlog backlog;
    std::vector<outbox::migration_state> migrations;

    std::optional<std::chrono::milliseconds> oldest_age() const {
        if (!backlog.oldest_due) return std::nullopt;
        return std::chrono::milliseconds(backlog.now - *backlog.oldest_due);
    }
};

void print_json(const overview& all) {
    auto rows = json::array();
    for (const auto& [status, count] : all.backlog.by_status)
        rows.push_back({{"status", status}, {"name", status_name(status)}, {"rows", count}});
    auto migrations = json::array();
    for (const auto& one : all.migrations)
        migrations.push_back({{"number", one.number},
                              {"name", one.name},
                              {"applied_at", one.applied_at ? json(*one.applied_at) : json()}});
    const auto age = all.oldest_age();
    const json document = {{"rows", rows},
                           {"due", all.backlog.due},
                           {"oldest_due_age_ms", age ? json(age->count()) : json()},
                           {"now", all.backlog.now},
                           {"migrations", migrations}};
    std::cout << document.dump() << '\n';
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
    std::size_t pending = 0;
    for (const auto& one : all.migrations) pending += one.applied_at ? 0 : 1;
    std::cout << rows.print(terminal_width(STDOUT_FILENO));
    std::cout << (pending == 0
                      ? "All migrations are applied.\n"
                      : fmt::format("{} migration(s) not recorded as applied; see `migrate --status`.\n", pending));
}

}  // namespace

int status(const context& at) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "status"});
    overview all;
    all.backlog = store->backlog();
    all.migrations = store->migration_status();
    at.json ? print_json(all) : print_text(all);
    return exit_code::success;
}

}  // namespace sidecar
