#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "conf/checks.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/dead_letter_moves.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/interruption.hpp"
#include "sidecar/log.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using std::chrono::milliseconds;

std::string name_of(const std::pair<std::string, std::string>& to) {
    return to.first.empty() ? fmt::format("queue '{}'", to.second)
                            : fmt::format("exchange '{}' with key '{}'", to.first, to.second);
}

int print_preview(const moves_preview& found, const std::string& queue, bool as_json) {
    if (as_json) {
        std::cout << dumped(preview_json(found, queue));
        return exit_code::success;
    }
    table rows({table::align::right, table::align::left});
    for (const auto& [to, count] : found.by_destination) rows.add({grouped(count), "to " + name_of(to)});
    if (found.homeless > 0) rows.add({grouped(found.homeless), "stay: they do not say where they came from"});
    std::cout << rows.print(terminal_width(STDOUT_FILENO))
              << fmt::format("{} messages looked at; none was moved.\n", grouped(found.looked_at));
    return exit_code::success;
}

moves_report move_all(relay::amqp::letter_box& box, const relay::letter_mover& mover, std::uint64_t most,
                      std::uint32_t rate) {
    interruption interrupted;
    progress_bar bar(most);
    moves_report all;
    move_letters(
        box, mover, most, rate, [&](milliseconds time) { return interrupted.pause(time); },
        [] { return true; },  // a step is short
        [&](const moves_report& so_far) { bar.show(so_far.redriven, "messages redriven"); }, all);
    return all;
}

int complain(int code, const std::string& what) {
    std::cerr << "outbox-sidecar: " << printable(what) << '\n';
    return code;
}

}  // namespace

int redrive(const command::redrive& options, const context& at) {
    auto settings = dead_letters_of(at.settings, options.queue);
    if (options.rate) settings.rate = *options.rate;
    if (conf::names_log(at.settings.broker.urls)) return complain(exit_code::configuration, "log: is no broker");
    try {
        const auto box = connect_for_letters(at.settings.broker);
        const auto length = box->length(settings.queue);
        if (const auto* refused = std::get_if<relay::amqp::refusal>(&length))
            return complain(exit_code::failed, fmt::format("{} {}", refused->code, refused->text));
        const auto most = std::min(std::get<std::uint64_t>(length), options.limit.value_or(UINT64_MAX));
        const relay::letter_mover mover(settings, nullptr, true);
        if (options.dry_run) {
            const int code = print_preview(preview_moves(*box, mover, settings.queue, most), settings.queue, at.json);
            box->close();
            return code;
        }
        const auto done = move_all(*box, mover, most, settings.rate);
        box->close();
        if (at.json)
            std::cout << dumped({{"dry_run", false},
                                 {"queue", settings.queue},
                                 {"redriven", done.redriven},
                                 {"refused", done.refused},
                                 {"reason", done.reason},
                                 {"complete", done.complete}});
        else {
            std::cout << fmt::format("{} messages redriven{}.\n", grouped(done.redriven),
                                     done.complete ? "" : "; stopped before the end");
            if (done.refused > 0)
                std::cout << fmt::format("{} could not be, and are at the end of the queue: {}\n",
                                         grouped(done.refused), printable(done.reason));
        }
        return done.complete && done.refused == 0 ? exit_code::success : exit_code::failed;
    } catch (const relay::amqp::connection_lost& error) {
        return complain(exit_code::unavailable, error.what());
    }
}

}  // namespace sidecar
