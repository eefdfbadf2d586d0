#pragma once
// relay/purger.hpp - deletes old rows by schedule, in small batches that stand in nobody's way.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "outbox/store.hpp"

namespace relay {

struct purge_report {
    struct line {
        std::optional<outbox::status> status;  // nullopt: entries of the ledger of failures
        std::chrono::milliseconds retention;
        std::uint64_t rows = 0;
        bool possible = true;  // false: there is no ledger, or it does not say when its entries were filed
    };
    std::vector<line> lines;  // of what has a retention
    std::chrono::milliseconds took{0};
    bool complete = true;  // false: it was stopped before its end
};

/// Deletes what is older than its retention, never a row of status 0. After each batch, `pause` is called with the time
/// to wait: at least the configured pause, at least as long as the batch took; it returns false to stop.
/// Throws what the store throws.
purge_report purge_once(outbox::housekeeping& store, const conf::purge& settings,
                        const std::function<bool(std::chrono::milliseconds)>& pause,
                        const std::function<void(std::optional<outbox::status>, std::uint64_t)>& progress = {});

/// What purge_once would delete, counted.
purge_report purge_preview(outbox::housekeeping& store, const conf::purge& settings);

}  // namespace relay
