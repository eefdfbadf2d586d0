#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "conf/load.hpp"
#include "outbox/store.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/entry_view.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

void print_json(const outbox::listing& found, outbox::epoch_ms now) {
    auto messages = nlohmann::ordered_json::array();
    for (const auto& one : found.rows) messages.push_back(summary_json(one));
    std::cout << dumped({{"messages", messages}, {"more", found.next.has_value()}, {"now", now}});
}

std::string named(int status) {
    const auto name = status_name(status);
    return name == status_name(-1) ? std::to_string(status) : std::string(name);
}

void print_text(const outbox::listing& found, outbox::epoch_ms now) {
    if (found.rows.empty()) {
        std::cout << "No messages.\n";
        return;
    }
    using align = table::align;
    const std::vector<list_column> columns{{"ID", align::left, 36, 0},      {"STATUS", align::left, 10, 0},
                                           {"CHANGED", align::right, 9, 0}, {"TRIES", align::right, 5, 3},
                                           {"SIZE", align::right, 9, 5},    {"EXCHANGE", align::left, 10, 2},
                                           {"KEY", align::left, 10, 4},     {"ERROR", align::left, 16, 1}};
    std::vector<std::vector<std::string>> rows;
    for (const auto& one : found.rows)
        rows.push_back({one.id, named(one.status), age_text(one.update_time, now), std::to_string(one.try_count),
                        grouped(one.body_size), one.exchange, one.routing_key, one.last_error.value_or("")});
    std::cout << print_list(columns, std::move(rows), terminal_width(STDOUT_FILENO));
    if (found.next) std::cout << fmt::format("The latest {}; there are more.\n", found.rows.size());
}

selection overdue_of(selection which, const conf::receipts& receipts) {
    if (!receipts.overdue)
        throw conf::invalid(std::vector<conf::problem>{
            {"receipts.overdue", "is never, so no receipt is; say after how long one is, e.g. 1h"}});
    which.filter.status = static_cast<int>(outbox::status::delivered);
    which.before = moment(*receipts.overdue);
    return which;
}

void print_text(const outbox::message_groups& found, outbox::epoch_ms now) {
    if (found.groups.empty()) {
        std::cout << "No messages.\n";
        return;
    }
    using align = table::align;
    const std::vector<list_column> columns{{"MESSAGES", align::right, 8, 0},
                                           {"LATEST", align::right, 9, 2},
                                           {"OLDEST", align::right, 9, 3},
                                           {"EXCHANGE", align::left, 10, 1},
                                           {"ERROR", align::left, 16, 0}};
    std::vector<std::vector<std::string>> rows;
    for (const auto& one : found.groups)
        rows.push_back({grouped(one.rows), age_text(one.latest, now), age_text(one.oldest, now), one.exchange,
                        one.error.value_or("-")});
    std::cout << print_list(columns, std::move(rows), terminal_width(STDOUT_FILENO));
    if (!found.complete) std::cout << fmt::format("Of the latest {}; there are more.\n", grouped(found.looked_at));
}

}  // namespace

int groups(const command::groups& options, const context& at) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "groups"});
    const auto found = store->groups(filter_of(options.which, *store), most_looked_at_for_groups, options.limit);
    if (at.json)
        std::cout << dumped(groups_json(found));
    else
        print_text(found, store->clock());
    return exit_code::success;
}

int list(const command::list& options, const context& at) {
    const auto which = options.overdue ? overdue_of(options.which, at.settings.receipts) : options.which;
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "list"});
    const auto found = store->list(filter_of(which, *store), std::nullopt, options.limit);
    at.json ? print_json(found, store->clock()) : print_text(found, store->clock());
    return exit_code::success;
}

}  // namespace sidecar
