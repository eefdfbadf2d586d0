#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <limits>
#include <set>

#include "outbox/store.hpp"
#include "sidecar/body_text.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/entry_change.hpp"
#include "sidecar/entry_view.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/interruption.hpp"
#include "sidecar/log.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using outbox::ledger_entry;

std::string retries_text(const ledger_entry& one) {
    if (one.retries == 0) return "0";
    return fmt::format("{}, the last {}", one.retries, one.last_retry_succeeded ? "done" : "not done");
}

std::string entries_text(std::uint64_t count) {
    return fmt::format("{} {}", grouped(count), count == 1 ? "entry" : "entries");
}

std::string said_of(const entry_outcome& one) {
    return fmt::format("{}: {}{}{}\n", one.entry, one.text, one.name == "already" ? "; --force does it once more" : "",
                       one.why.empty() ? "" : ": " + printable(one.why));
}

int list_entries(outbox::store& store, const command::failures& options, bool as_json) {
    auto found = store.entries(filter_of(options.which, store), options.before, options.limit + 1);
    const bool more = found.size() > options.limit;
    if (more) found.pop_back();
    if (as_json) {
        auto all = json::array();
        for (const auto& one : found) all.push_back(entry_json(one));
        std::cout << dumped({{"entries", all}, {"more", more}});
        return exit_code::success;
    }
    if (found.empty()) {
        std::cout << "No failures.\n";
        return exit_code::success;
    }
    using align = table::align;
    const std::vector<list_column> columns{{"ENTRY", align::right, 19, 0},   {"FILED", align::right, 9, 3},
                                           {"SIDE", align::left, 8, 4},      {"MESSAGE", align::left, 36, 0},
                                           {"EXCHANGE", align::left, 10, 2}, {"KEY", align::left, 10, 5},
                                           {"RETRIES", align::left, 8, 6},   {"REASON", align::left, 16, 1}};
    std::vector<std::vector<std::string>> rows;
    const auto now = store.clock();
    for (const auto& one : found)
        rows.push_back({std::to_string(one.id), age_text(one.filed, now), std::string(name_of(one.failed_on)),
                        one.message_id, one.exchange, one.routing_key, retries_text(one), one.reason});
    std::cout << print_list(columns, std::move(rows), terminal_width(STDOUT_FILENO));
    if (more) std::cout << fmt::format("The latest {}; for more: --before {}\n", found.size(), found.back().id);
    return exit_code::success;
}

int list_groups(outbox::store& store, const command::failures& options, bool as_json) {
    const auto found = store.failure_groups(filter_of(options.which, store), most_looked_at_for_groups, options.limit);
    if (as_json) {
        std::cout << dumped(groups_json(found));
        return exit_code::success;
    }
    if (found.groups.empty()) {
        std::cout << "No failures.\n";
        return exit_code::success;
    }
    using align = table::align;
    const std::vector<list_column> columns{{"ENTRIES", align::right, 7, 0},  {"SIDE", align::left, 8, 3},
                                           {"LATEST", align::right, 9, 2},   {"OLDEST", align::right, 9, 4},
                                           {"EXCHANGE", align::left, 10, 1}, {"REASON", align::left, 16, 0}};
    std::vector<std::vector<std::string>> rows;
    const auto now = store.clock();
    for (const auto& one : found.groups)
        rows.push_back({grouped(one.entries), std::string(name_of(one.side)), age_text(one.latest, now),
                        age_text(one.oldest, now), one.exchange, one.reason});
    std::cout << print_list(columns, std::move(rows), terminal_width(STDOUT_FILENO));
    if (!found.complete) std::cout << fmt::format("Of the latest {}; there are more.\n", grouped(found.looked_at));
    return exit_code::success;
}

int complain_of_no_entry(std::int64_t id) {
    std::cerr << fmt::format("outbox-sidecar: there is no entry {}\n", id);
    return exit_code::failed;
}

int show_entry(outbox::store& store, const command::failures& options, bool as_json) {
    const auto id = options.entries.front();
    // The entries before the next number begin with that one.
    const auto found = id == std::numeric_limits<std::int64_t>::max() ? store.entries({}, 1) : store.entries(id + 1, 1);
    if (found.empty() || found.front().id != id) return complain_of_no_entry(id);
    const auto& one = found.front();
    auto payload = store.payload(id).value_or("");
    const bool whole = options.full || payload.size() <= body_bytes_shown;
    if (!whole) payload.resize(body_bytes_shown);
    if (as_json) {
        auto document = entry_json(one);
        add_body(document, "payload", payload, whole);
        std::cout << dumped(document);
        return exit_code::success;
    }
    table fields({table::align::left, table::align::left});
    fields.add({"entry", std::to_string(one.id)});
    fields.add({"failed on", fmt::format("the {}'s side", name_of(one.failed_on))});
    fields.add({"message", one.message_id});
    fields.add({"exchange", one.exchange.empty() ? "(the default exchange)" : one.exchange});
    fields.add({"routing key", one.routing_key});
    if (one.key) fields.add({"order key", *one.key});
    fields.add({"created", one.message_created.value_or("-")});
    fields.add({"filed", time_text(one.filed, store.clock())});
    fields.add({"retries", retries_text(one)});
    if (one.headers) fields.add({"headers", *one.headers});
    fields.add({"reason", one.reason});
    fields.add({"payload", grouped(one.payload_size) + " bytes"});
    std::cout << fields.print(terminal_width(STDOUT_FILENO));
    if (payload.empty()) return exit_code::success;
    std::cout << '\n' << body_text(payload, whole);
    if (!whole) std::cout << fmt::format("… the first {} bytes; --full shows all.\n", grouped(payload.size()));
    return exit_code::success;
}

int retry_entries(outbox::store& store, const command::failures& options, const context& at) {
    auto all = json::array();
    bool every = true;
    entry_retrier with(store, at.settings, options.force);
    for (const auto id : options.entries) {
        const auto outcome = with.retry(id);
        every = every && outcome.done();
        json one = {{"entry", id}, {"outcome", outcome.name}};
        if (!outcome.why.empty()) one["reason"] = outcome.why;
        all.push_back(std::move(one));
        if (!at.json) std::cout << said_of(outcome);
    }
    if (at.json) std::cout << dumped({{"entries", all}});
    return every ? exit_code::success : exit_code::failed;
}

int delete_entries(outbox::store& store, const command::failures& options, bool as_json) {
    const std::set<std::int64_t> wanted(options.entries.begin(), options.entries.end());
    const auto removed = store.remove_entries(std::vector(wanted.begin(), wanted.end()));
    if (as_json)
        std::cout << dumped({{"deleted", removed}, {"not_there", wanted.size() - removed}});
    else
        std::cout << fmt::format(
            "{} deleted{}.\n", entries_text(removed),
            removed == wanted.size() ? "" : fmt::format("; {} are not there", grouped(wanted.size() - removed)));
    return removed == wanted.size() ? exit_code::success : exit_code::failed;
}

void print(const entries_report& result, std::string_view done, const command::failures& options, bool as_json) {
    if (as_json) {
        auto left = json::array();
        for (const auto& one : result.left)
            left.push_back({{"entry", one.entry}, {"outcome", one.name}, {"reason", one.why}});
        auto unchanged = json::object();
        for (const auto& [outcome, count] : result.unchanged) unchanged[outcome] = count;
        std::cout << dumped({{"dry_run", options.dry_run},
                             {"changed", result.changed},
                             {"unchanged", unchanged},
                             {"left", left},
                             {"complete", result.complete},
                             {"trouble", result.trouble.empty() ? json() : json(result.trouble)}});
        return;
    }
    for (const auto& one : result.left) std::cerr << said_of(one);
    std::uint64_t unchanged = 0;
    for (const auto& [_, count] : result.unchanged) unchanged += count;
    std::cout << fmt::format("{} {}{}", entries_text(result.changed), options.dry_run ? "would be " : "", done);
    if (unchanged > 0) std::cout << fmt::format("; {} left as they were", grouped(unchanged));
    std::cout << (result.complete ? ".\n" : "; stopped there.\n");
    if (!result.trouble.empty()) std::cerr << "outbox-sidecar: " << printable(result.trouble) << '\n';
}

int change_all(outbox::store& store, const command::failures& options, const context& at) {
    const bool deletes = options.what == command::failures::action::remove;
    const std::string_view done = deletes ? "deleted" : "sent again";
    const auto filter = filter_of(options.which, store);
    const auto count = [&] {
        constexpr std::uint64_t all = std::numeric_limits<std::int64_t>::max();
        return deletes ? store.count_entries(filter, all) : count_to_retry(store, filter, options.force, all);
    };
    entries_report result;
    if (options.dry_run) {
        result.changed = count();
        print(result, done, options, at.json);
        return exit_code::success;
    }
    const bool ask = deletes && !options.yes && isatty(STDIN_FILENO) != 0;
    // Counting is only worth its while if somebody watches.
    const auto total = ask || terminal_width(STDERR_FILENO) > 0 ? count() : 0;
    if (ask && total > 0 && !confirmed(fmt::format("Delete {}?", entries_text(total)))) {
        result.complete = false;
    } else {
        interruption interrupted;
        progress_bar bar(total);
        const auto go_on = [&] { return interrupted.pause(std::chrono::milliseconds{0}); };
        const auto progress = [&](std::uint64_t changed) { bar.show(changed, fmt::format("entries {}", done)); };
        try {
            if (deletes) {
                delete_matching(store, filter, go_on, progress, result);
            } else {
                entry_retrier with(store, at.settings, options.force, go_on);
                retry_matching(store, filter, with, go_on, progress, result);
            }
        } catch (...) {
            std::cerr << fmt::format("{} had been {} when this happened:\n", entries_text(result.changed), done);
            throw;
        }
    }
    print(result, done, options, at.json);
    return result.complete && result.left.empty() ? exit_code::success : exit_code::failed;
}

}  // namespace

int failures(const command::failures& options, const context& at) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "failures"});
    if (!store->has_ledger()) {
        std::cerr << "outbox-sidecar: there is no ledger of failures (sys_mq_fail); `migrate` makes it\n";
        return exit_code::failed;
    }
    switch (options.what) {
        case command::failures::action::show: return show_entry(*store, options, at.json);
        case command::failures::action::groups: return list_groups(*store, options, at.json);
        case command::failures::action::retry:
            return options.all ? change_all(*store, options, at) : retry_entries(*store, options, at);
        case command::failures::action::remove:
            return options.all ? change_all(*store, options, at) : delete_entries(*store, options, at.json);
        case command::failures::action::list: break;
    }
    return list_entries(*store, options, at.json);
}

}  // namespace sidecar
