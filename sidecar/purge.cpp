#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "conf/units.hpp"
#include "relay/purger.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/interruption.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;

std::uint64_t rows_of(const relay::purge_report& report) {
    std::uint64_t rows = 0;
    for (const auto& line : report.lines) rows += line.rows;
    return rows;
}

relay::purge_report delete_rows(outbox::store& store, const conf::purge& settings) {
    interruption interrupted;
    // Counting is only worth its while if somebody watches.
    const bool watched = terminal_width(STDERR_FILENO) > 0;
    progress_bar bar(watched ? rows_of(relay::purge_preview(store, settings)) : 0);
    std::map<std::optional<outbox::status>, std::uint64_t> done;
    return relay::purge_once(
        store, settings, [&](std::chrono::milliseconds time) { return interrupted.pause(time); },
        [&](std::optional<outbox::status> status, std::uint64_t rows) {
            done[status] = rows;
            std::uint64_t all = 0;
            for (const auto& [_, some] : done) all += some;
            bar.show(all, "rows deleted");
        });
}

void print_json(const relay::purge_report& report, bool dry_run, const context& at) {
    auto lines = json::array();
    for (const auto& line : report.lines)
        lines.push_back({{"status", line.status ? json(static_cast<int>(*line.status)) : json()},
                         {"name", purged_name(line.status)},
                         {"older_than_ms", line.retention.count()},
                         {"rows", line.possible ? json(line.rows) : json()}});
    const json document = {
        {"dry_run", dry_run}, {"complete", report.complete}, {"took_ms", report.took.count()}, {"statuses", lines}};
    std::cout << printed(at, document);
}

void print_text(const relay::purge_report& report, bool dry_run) {
    if (report.lines.empty()) {
        std::cout << "Nothing to do: nothing has a retention (purge.delivered, .consumed, .failed, .ledger).\n";
        return;
    }
    table rows({table::align::right, table::align::left, table::align::left});
    for (const auto& line : report.lines)
        rows.add({line.possible ? grouped(line.rows) : "-", std::string(purged_name(line.status)),
                  line.possible ? "older than " + conf::print_duration(line.retention)
                                : "there is none, or it does not say when its entries were filed"});
    const auto total = grouped(rows_of(report));
    std::cout << rows.print(terminal_width(STDOUT_FILENO));
    if (dry_run)
        std::cout << fmt::format("{} rows would be deleted.\n", total);
    else if (report.complete)
        std::cout << fmt::format("{} rows deleted in {}.\n", total, rough(report.took));
    else
        std::cout << fmt::format("Stopped after {} rows, in {}; there are more.\n", total, rough(report.took));
}

}  // namespace

int purge(const command::purge& options, const context& at) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "purge"});
    const auto report =
        options.dry_run ? relay::purge_preview(*store, at.settings.purge) : delete_rows(*store, at.settings.purge);
    at.json ? print_json(report, options.dry_run, at) : print_text(report, options.dry_run);
    return report.complete ? exit_code::success : exit_code::failed;
}

}  // namespace sidecar
