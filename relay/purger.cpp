#include "relay/purger.hpp"

#include <algorithm>
#include <utility>

namespace relay {
namespace {

using std::chrono::milliseconds;

std::vector<purge_report::line> with_retention(const conf::purge& settings) {
    std::vector<purge_report::line> lines;
    const auto add = [&](std::optional<outbox::status> status, const std::optional<milliseconds>& retention) {
        if (retention) lines.push_back({status, *retention});
    };
    add(outbox::status::delivered, settings.delivered);
    add(outbox::status::consumed, settings.consumed);
    add(outbox::status::failed, settings.failed);
    add(std::nullopt, settings.ledger);
    return lines;
}

// nullopt: it can't be done.
std::optional<std::size_t> purge_some(outbox::housekeeping& store, const purge_report::line& line, std::size_t limit) {
    if (!line.status) return store.purge_ledger(line.retention, limit);
    return store.purge(*line.status, line.retention, limit);
}

milliseconds since(std::chrono::steady_clock::time_point began) {
    return std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - began);
}

}  // namespace

purge_report purge_once(outbox::housekeeping& store, const conf::purge& settings,
                        const std::function<bool(milliseconds)>& pause,
                        const std::function<void(std::optional<outbox::status>, std::uint64_t)>& progress) {
    const auto began = std::chrono::steady_clock::now();
    purge_report report{with_retention(settings), {}, true};
    for (auto& line : report.lines) {
        for (bool more = true; more && report.complete;) {
            const auto batch_began = std::chrono::steady_clock::now();
            const auto done = purge_some(store, line, settings.batch_rows);
            line.possible = done.has_value();
            const auto rows = done.value_or(0);
            line.rows += rows;
            more = rows >= settings.batch_rows;
            if (rows > 0 && progress) progress(line.status, line.rows);
            if (more && !pause(std::max(settings.pause, since(batch_began)))) report.complete = false;
        }
    }
    report.took = since(began);
    return report;
}

purge_report purge_preview(outbox::housekeeping& store, const conf::purge& settings) {
    const auto began = std::chrono::steady_clock::now();
    purge_report report{with_retention(settings), {}, true};
    for (auto& line : report.lines) {
        const auto rows = line.status ? std::optional(store.purgeable(*line.status, line.retention))
                                      : store.purgeable_in_ledger(line.retention);
        line.possible = rows.has_value();
        line.rows = rows.value_or(0);
    }
    report.took = since(began);
    return report;
}

}  // namespace relay
