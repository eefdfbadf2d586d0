#include "sidecar/dead_letter_moves.hpp"

#include <algorithm>

#include "conf/url.hpp"
#include "relay/glob.hpp"

namespace sidecar {
namespace {

constexpr std::uint64_t most_looked_at = 10'000;

std::int64_t now_in_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

conf::dead_letters dead_letters_of(const conf::settings& settings, const std::string& queue) {
    const auto& all = settings.dead_letters;
    auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.queue == queue; });
    if (found == all.end())
        found = std::find_if(all.begin(), all.end(), [&](const auto& one) {
            return !one.pattern.empty() && relay::matches(one.pattern, queue);
        });
    auto its = found == all.end() ? conf::dead_letters() : *found;
    its.queue = queue;
    return its;
}

std::unique_ptr<relay::amqp::letter_box> connect_for_letters(const conf::broker& settings) {
    for (std::size_t i = 0; i < settings.urls.size(); ++i) {
        try {
            return std::make_unique<relay::amqp::letter_box>(conf::parse_url(settings.urls[i]), settings);
        } catch (const relay::amqp::connection_lost&) {
            if (i + 1 == settings.urls.size()) throw;
        }
    }
    throw relay::amqp::connection_lost("broker.urls names no broker");
}

moves_preview preview_moves(relay::amqp::letter_box& box, const relay::letter_mover& mover, const std::string& queue,
                            std::uint64_t most) {
    moves_preview found;
    for (; found.looked_at < std::min(most, most_looked_at); ++found.looked_at) {
        auto got = box.get(queue);
        auto* letter = std::get_if<std::optional<relay::amqp::letter>>(&got);
        if (letter == nullptr || !*letter) break;
        const auto fate = mover.fate_of(**letter, now_in_seconds());
        if (const auto* go = std::get_if<relay::redrive>(&fate))
            ++found.by_destination[{go->to.exchange, go->to.routing_key}];
        else
            ++found.homeless;
    }
    return found;
}

nlohmann::ordered_json preview_json(const moves_preview& found, const std::string& queue) {
    auto moves = nlohmann::ordered_json::array();
    for (const auto& [to, count] : found.by_destination)
        moves.push_back({{"exchange", to.first}, {"routing_key", to.second}, {"messages", count}});
    return {{"dry_run", true},
            {"queue", queue},
            {"looked_at", found.looked_at},
            {"moves", moves},
            {"without_origin", found.homeless}};
}

void move_letters(relay::amqp::letter_box& box, const relay::letter_mover& mover, std::uint64_t most,
                  std::uint32_t rate, const std::function<bool(std::chrono::milliseconds)>& pause,
                  const std::function<bool()>& go_on, const std::function<void(const moves_report&)>& progress,
                  moves_report& into) {
    for (std::uint64_t left = most; left > 0;) {
        const auto done =
            mover.step(box, std::min<std::uint64_t>(left, std::max(1U, rate / 4)), now_in_seconds(), go_on);
        into.redriven += done.redriven;
        into.refused += done.refused;
        if (!done.troubles.empty()) into.reason = *done.troubles.begin();
        progress(into);
        if (done.over) break;
        left -= std::min(left, done.fetched);
        if (!pause(std::chrono::milliseconds(done.redriven * 1'000 / rate))) {
            into.complete = left == 0;
            break;
        }
    }
}

}  // namespace sidecar
