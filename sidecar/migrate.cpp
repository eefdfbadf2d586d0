#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "outbox/store.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;

int print_script(const outbox::store& store, const context& at) {
    const auto script = store.migration_script();
    std::cout << (at.json ? printed(at, {{"sql", script}}) : script);
    return exit_code::success;
}

int print_status(outbox::store& store, const context& at) {
    auto all = json::array();
    table rows({table::align::left, table::align::left, table::align::left});
    for (const auto& one : store.migration_status()) {
        all.push_back({{"number", one.number},
                       {"name", one.name},
                       {"applied_at", one.applied_at ? json(*one.applied_at) : json()}});
        rows.add({fmt::format("{:04}", one.number), one.name, one.applied_at.value_or("pending")});
    }
    if (!at.json)
        std::cout << rows.print(terminal_width(STDOUT_FILENO));
    else
        std::cout << (at.source.empty() ? all.dump() + '\n' : printed(at, {{"migrations", all}}));
    return exit_code::success;
}

int apply(outbox::store& store, const context& at) {
    const auto applied = store.migrate();
    auto all = json::array();
    for (const auto& one : store.migration_status()) {
        if (std::find(applied.begin(), applied.end(), one.number) == applied.end()) continue;
        all.push_back({{"number", one.number}, {"name", one.name}});
        if (!at.json) std::cout << fmt::format("applied {:04} {}\n", one.number, one.name);
    }
    if (at.json)
        std::cout << printed(at, {{"applied", all}});
    else if (applied.empty())
        std::cout << "nothing to do: all migrations are applied\n";
    return exit_code::success;
}

}  // namespace

int migrate(const command::migrate& options, const context& at) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "migrate"});
    switch (options.how) {
        case command::migrate::mode::print: return print_script(*store, at);
        case command::migrate::mode::status: return print_status(*store, at);
        case command::migrate::mode::apply: break;
    }
    return apply(*store, at);
}

}  // namespace sidecar
