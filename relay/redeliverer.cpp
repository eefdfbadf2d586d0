#include "relay/redeliverer.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace relay {
namespace {

constexpr std::size_t page_rows = 500;
constexpr int most_pages = 20;  // of rows that are overdue and too old, as those may be many

}  // namespace

redeliverer::redeliverer(outbox::inspection& table, const conf::receipts& settings, observer& watch,
                         std::function<bool()> in_charge)
    : table_(table), settings_(settings), watch_(watch), in_charge_(std::move(in_charge)) {}

std::chrono::milliseconds redeliverer::run_once() {
    if (!in_charge_()) return settings_.redeliver.interval;
    try {
        const auto ids = overdue();
        const auto changed = ids.empty() ? 0 : table_.retry(ids, true);
        if (!std::exchange(connected_, true)) watch_.database_up("redeliverer");
        what_failed_.clear();
        if (changed > 0) watch_.redelivered(changed);
    } catch (const std::exception& error) {
        if (std::exchange(connected_, false) || what_failed_ != error.what())
            watch_.database_down("redeliverer", error.what());
        what_failed_ = error.what();
    }
    return settings_.redeliver.interval;
}

std::vector<std::string> redeliverer::overdue() {
    const auto now = table_.clock();
    const auto youngest = now - settings_.redeliver.within->count();
    outbox::message_filter filter;
    filter.status = static_cast<int>(outbox::status::delivered);
    filter.since = youngest;  // what has not changed since then is older still
    filter.before = now - settings_.overdue->count();
    std::vector<std::string> ids;
    std::optional<outbox::list_place> after;
    for (int page = 0; page < most_pages; ++page) {
        const auto found = table_.list(filter, after, page_rows, false);
        for (const auto& row : found.rows) {
            if (row.create_time.value_or(0) >= youngest) ids.push_back(row.id);
            if (ids.size() == settings_.redeliver.batch_rows) return ids;
        }
        if (!found.next) break;
        after = found.next;
    }
    return ids;
}

}  // namespace relay
