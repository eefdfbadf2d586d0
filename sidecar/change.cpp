// The commands `retry` and `delete`, which go about it in the same way.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <limits>
#include <set>

#include "outbox/store.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/interruption.hpp"
#include "sidecar/log.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using outbox::status;

constexpr std::size_t batch = 500;

struct action {
    std::string name;
    std::string imperative;  // "Delete"
    std::string done;        // "deleted"
    std::function<std::size_t(outbox::store&, std::span<const std::string>)> apply;
    std::function<std::string(int status)> objection;  // why a message of that status is left alone; empty: it is not
};

struct unchanged {
    std::string id;
    std::optional<int> status;  // nullopt: there is no such message
    std::string why;
};

struct report {
    std::uint64_t changed = 0;
    std::vector<unchanged> left;
    bool complete = true;
};

// Nullopt: it is changed, or would be.
std::optional<unchanged> change_one(outbox::store& store, const action& what, const std::string& id, bool dry_run) {
    std::string why = "somebody else was changing it";
    try {
        if (!dry_run && what.apply(store, std::span(&id, 1)) > 0) return std::nullopt;
    } catch (const outbox::store_busy&) {
        why = "somebody else holds its lock";
    }
    const auto found = store.show(id, 0);
    if (!found) return unchanged{id, std::nullopt, "there is no such message"};
    const auto objection = what.objection(found->what.status);
    if (objection.empty() && dry_run) return std::nullopt;
    return unchanged{id, found->what.status, objection.empty() ? why : objection};
}

// One by one, so that for each it can be said what became of it.
report change_ids(outbox::store& store, const action& what, const command::change& options) {
    report result;
    std::set<std::string> seen;
    for (const auto& id : options.ids) {
        if (!seen.insert(id).second) continue;
        if (auto left = change_one(store, what, id, options.dry_run))
            result.left.push_back(std::move(*left));
        else
            ++result.changed;
    }
    return result;
}

// A row that somebody holds the lock of keeps none of the others from being changed.
void change_page(outbox::store& store, const action& what, const std::vector<outbox::summary>& page, report& into) {
    std::vector<std::string> ids;
    for (const auto& one : page) ids.push_back(one.id);
    try {
        into.changed += what.apply(store, ids);
    } catch (const outbox::store_busy&) {
        for (const auto& one : page) {
            try {
                into.changed += what.apply(store, std::span(&one.id, 1));
            } catch (const outbox::store_busy&) {
                into.left.push_back({one.id, one.status, "somebody else holds its lock"});
            }
        }
    }
}

bool confirmed(const action& what, std::uint64_t count) {
    std::cerr << fmt::format("{} {} messages? [y/N] ", what.imperative, grouped(count)) << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

// From page to page downwards in time: what fails again meanwhile is above the page and is not met twice.
void change_pages(outbox::store& store, const action& what, const outbox::message_filter& filter, std::uint64_t total,
                  report& result) {
    interruption interrupted;
    progress_bar bar(total);
    std::optional<outbox::list_place> at;
    do {
        result.complete = interrupted.pause(std::chrono::milliseconds{0});
        if (!result.complete) break;
        const auto page = store.list(filter, at, batch);
        change_page(store, what, page.rows, result);
        bar.show(result.changed, "messages " + what.done);
        at = page.next;
    } while (at);
}

report change_all(outbox::store& store, const action& what, const command::change& options, bool ask) {
    const auto filter = filter_of(options.which, store);
    const auto count = [&] { return store.count(filter, std::numeric_limits<std::int64_t>::max()); };
    if (options.dry_run) return {count(), {}, true};
    ask = ask && !options.yes && isatty(STDIN_FILENO) != 0;
    // Counting is only worth its while if somebody watches.
    const auto total = ask || terminal_width(STDERR_FILENO) > 0 ? count() : 0;
    if (ask && total > 0 && !confirmed(what, total)) return {0, {}, false};

    report result;
    try {
        change_pages(store, what, filter, total, result);
    } catch (...) {
        std::cerr << fmt::format("{} messages had been {} when this happened:\n", grouped(result.changed), what.done);
        throw;
    }
    return result;
}

void print_json(const report& result, bool dry_run) {
    auto left = json::array();
    for (const auto& one : result.left)
        left.push_back({{"id", one.id}, {"status", json_or_null(one.status)}, {"why", one.why}});
    std::cout << dumped(
        {{"dry_run", dry_run}, {"changed", result.changed}, {"unchanged", left}, {"complete", result.complete}});
}

void print_text(const report& result, const action& what, bool dry_run) {
    for (const auto& one : result.left)
        std::cerr << fmt::format("'{}' is left as it is: {}\n", printable(one.id), one.why);
    std::cout << fmt::format("{} {} {}{}.\n", grouped(result.changed), result.changed == 1 ? "message" : "messages",
                             dry_run ? "would be " + what.done : what.done, result.complete ? "" : "; stopped there");
}

int change(const command::change& options, const context& at, const action& what, bool ask) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, what.name});
    const auto result = options.all ? change_all(*store, what, options, ask) : change_ids(*store, what, options);
    at.json ? print_json(result, options.dry_run) : print_text(result, what, options.dry_run);
    return result.complete && result.left.empty() ? exit_code::success : exit_code::failed;
}

}  // namespace

int retry(const command::retry& options, const context& at) {
    // Of all that failed, only those: not what has been delivered since it was listed.
    const bool delivered =
        options.force && (!options.all || options.which.filter.status == static_cast<int>(status::delivered));
    const action put_back{
        "retry", "Put back", "put back",
        [&](outbox::store& store, std::span<const std::string> ids) { return store.retry(ids, delivered); },
        [&](int found) -> std::string {
            switch (found) {
                case static_cast<int>(status::failed): return "";
                case static_cast<int>(status::delivering): return "it is to be delivered already";
                case static_cast<int>(status::delivered):
                    return delivered ? "" : "it has been delivered; --force sends it again";
                case static_cast<int>(status::consumed): return "it has been consumed";
                default: return fmt::format("its status, {}, is not known", found);
            }
        }};
    return change(options, at, put_back, false);
}

int remove(const command::remove& options, const context& at) {
    // Likewise.
    const bool undelivered =
        options.force && (!options.all || options.which.filter.status == static_cast<int>(status::delivering));
    const action deletion{
        "delete", "Delete", "deleted",
        [&](outbox::store& store, std::span<const std::string> ids) { return store.remove(ids, undelivered); },
        [&](int found) -> std::string {
            if (found != static_cast<int>(status::delivering) || undelivered) return "";
            return "it is still to be delivered; --force deletes it all the same";
        }};
    return change(options, at, deletion, true);
}

}  // namespace sidecar
