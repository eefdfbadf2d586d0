#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "conf/checks.hpp"
#include "conf/url.hpp"
#include "relay/letter_mover.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/interruption.hpp"
#include "sidecar/log.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::uint64_t most_looked_at = 10'000;
constexpr auto to_the_end = [] { return true; };  // a step is short

std::int64_t now_in_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// The first that answers. Throws what the last one said.
std::unique_ptr<relay::amqp::letter_box> connect(const conf::broker& settings) {
    for (std::size_t i = 0; i < settings.urls.size(); ++i) {
        try {
            return std::make_unique<relay::amqp::letter_box>(conf::parse_url(settings.urls[i]), settings);
        } catch (const relay::amqp::connection_lost&) {
            if (i + 1 == settings.urls.size()) throw;
        }
    }
    throw relay::amqp::connection_lost("broker.urls names no broker");
}

std::string name_of(const relay::destination& to) {
    return to.exchange.empty() ? fmt::format("queue '{}'", to.routing_key)
                               : fmt::format("exchange '{}' with key '{}'", to.exchange, to.routing_key);
}

// What is fetched here goes back when the connection ends.
int preview(relay::amqp::letter_box& box, const relay::letter_mover& mover, const std::string& queue,
            std::uint64_t most, bool as_json) {
    std::map<std::pair<std::string, std::string>, std::uint64_t> by_destination;
    std::uint64_t homeless = 0, looked_at = 0;
    for (; looked_at < std::min(most, most_looked_at); ++looked_at) {
        auto got = box.get(queue);
        auto* letter = std::get_if<std::optional<relay::amqp::letter>>(&got);
        if (letter == nullptr || !*letter) break;
        const auto fate = mover.fate_of(**letter, now_in_seconds());
        if (const auto* go = std::get_if<relay::redrive>(&fate))
            ++by_destination[{go->to.exchange, go->to.routing_key}];
        else
            ++homeless;
    }
    auto moves = json::array();
    table rows({table::align::right, table::align::left});
    for (const auto& [to, count] : by_destination) {
        moves.push_back({{"exchange", to.first}, {"routing_key", to.second}, {"messages", count}});
        rows.add({grouped(count), "to " + name_of({to.first, to.second})});
    }
    if (homeless > 0) rows.add({grouped(homeless), "stay: they do not say where they came from"});
    if (as_json)
        std::cout << json{{"dry_run", true},
                          {"queue", queue},
                          {"looked_at", looked_at},
                          {"moves", moves},
                          {"without_origin", homeless}}
                         .dump(-1, ' ', false, json::error_handler_t::replace)
                  << '\n';
    else
        std::cout << rows.print(terminal_width(STDOUT_FILENO))
                  << fmt::format("{} messages looked at; none was moved.\n", grouped(looked_at));
    return exit_code::success;
}

struct report {
    std::uint64_t redriven = 0;
    std::uint64_t refused = 0;
    std::string reason;
    bool complete = true;
};

report move_all(relay::amqp::letter_box& box, const relay::letter_mover& mover, std::uint64_t most,
                std::uint32_t rate) {
    interruption interrupted;
    progress_bar bar(most);
    report all;
    for (std::uint64_t left = most; left > 0;) {
        const auto done =
            mover.step(box, std::min<std::uint64_t>(left, std::max(1U, rate / 4)), now_in_seconds(), to_the_end);
        all.redriven += done.redriven;
        all.refused += done.refused;
        if (!done.troubles.empty()) all.reason = *done.troubles.begin();
        bar.show(all.redriven, "messages redriven");
        if (done.over) break;
        left -= std::min(left, done.fetched);
        if (!interrupted.pause(milliseconds(done.redriven * 1'000 / rate))) {
            all.complete = left == 0;
            break;
        }
    }
    return all;
}

int complain(int code, const std::string& what) {
    std::cerr << "outbox-sidecar: " << printable(what) << '\n';
    return code;
}

}  // namespace

int redrive(const command::redrive& options, const context& at) {
    conf::dead_letters settings;
    for (const auto& one : at.settings.dead_letters) {
        if (one.queue == options.queue) settings = one;
    }
    settings.queue = options.queue;
    if (options.rate) settings.rate = *options.rate;
    if (conf::names_log(at.settings.broker.urls)) return complain(exit_code::configuration, "log: is no broker");
    try {
        const auto box = connect(at.settings.broker);
        const auto length = box->length(settings.queue);
        if (const auto* refused = std::get_if<relay::amqp::refusal>(&length))
            return complain(exit_code::failed, fmt::format("{} {}", refused->code, refused->text));
        const auto most = std::min(std::get<std::uint64_t>(length), options.limit.value_or(UINT64_MAX));
        const relay::letter_mover mover(settings, nullptr, true);
        if (options.dry_run) {
            const int code = preview(*box, mover, settings.queue, most, at.json);
            box->close();
            return code;
        }
        const auto done = move_all(*box, mover, most, settings.rate);
        box->close();
        if (at.json)
            std::cout << json{{"dry_run", false},        {"queue", settings.queue}, {"redriven", done.redriven},
                              {"refused", done.refused}, {"reason", done.reason},   {"complete", done.complete}}
                             .dump(-1, ' ', false, json::error_handler_t::replace)
                      << '\n';
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
