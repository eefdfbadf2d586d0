// The commands `retry` and `delete`, which go about it in the same way.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <limits>

#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/interruption.hpp"
#include "sidecar/log.hpp"
#include "sidecar/message_change.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using outbox::status;

change_report change_all(outbox::store& store, const message_action& what, const command::change& options, bool ask) {
    const auto filter = filter_of(options.which, store);
    const auto count = [&] { return store.count(filter, std::numeric_limits<std::int64_t>::max()); };
    if (options.dry_run) return {count(), {}, true};
    ask = ask && !options.yes && isatty(STDIN_FILENO) != 0;
    // Counting is only worth its while if somebody watches.
    const auto total = ask || terminal_width(STDERR_FILENO) > 0 ? count() : 0;
    if (ask && total > 0 && !confirmed(fmt::format("{} {} messages?", what.imperative, grouped(total))))
        return {0, {}, false};

    change_report result;
    try {
        interruption interrupted;
        progress_bar bar(total);
        change_matching(
            store, what, filter, [&] { return interrupted.pause(std::chrono::milliseconds{0}); },
            [&](std::uint64_t changed) { bar.show(changed, "messages " + what.done); }, result);
    } catch (...) {
        std::cerr << fmt::format("{} messages had been {} when this happened:\n", grouped(result.changed), what.done);
        throw;
    }
    return result;
}

void print_text(const change_report& result, const message_action& what, bool dry_run) {
    for (const auto& one : result.left)
        std::cerr << fmt::format("'{}' is left as it is: {}\n", printable(one.id), one.why);
    std::cout << fmt::format("{} {} {}{}.\n", grouped(result.changed), result.changed == 1 ? "message" : "messages",
                             dry_run ? "would be " + what.done : what.done, result.complete ? "" : "; stopped there");
}

int change(const command::change& options, const context& at, const message_action& what, bool ask) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, what.name});
    const auto result = options.all ? change_all(*store, what, options, ask)
                                    : change_messages(*store, what, options.ids, options.dry_run);
    if (at.json)
        std::cout << dumped(change_json(result, options.dry_run));
    else
        print_text(result, what, options.dry_run);
    return result.complete && result.left.empty() ? exit_code::success : exit_code::failed;
}

}  // namespace

int retry(const command::retry& options, const context& at) {
    // Of all that failed, only those: not what has been delivered since it was listed.
    const bool delivered =
        options.force && (!options.all || options.which.filter.status == static_cast<int>(status::delivered));
    return change(options, at, putting_back(delivered), false);
}

int remove(const command::remove& options, const context& at) {
    // Likewise.
    const bool undelivered =
        options.force && (!options.all || options.which.filter.status == static_cast<int>(status::delivering));
    return change(options, at, deletion(undelivered), true);
}

}  // namespace sidecar
