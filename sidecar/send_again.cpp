#include "sidecar/send_again.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "relay/clock.hpp"
#include "relay/compose.hpp"
#include "relay/dead_letter.hpp"
#include "relay/publisher.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

// Its entry is locked meanwhile.
constexpr auto patience = 10s;

struct listener final : relay::observer {
    std::string why_down = "no connection to a broker";
    void broker_down(std::string_view why, std::chrono::milliseconds) override { why_down = why; }
};

std::optional<std::string> living_headers(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    auto headers = nlohmann::json::parse(*text, nullptr, false);
    if (!headers.is_object()) return text;
    for (const auto& name : relay::headers_of_death()) headers.erase(name);
    headers.erase(std::string(relay::redrives_header));
    headers.erase(std::string(relay::not_before_header));
    return headers.dump();
}

struct words {
    std::optional<std::string> operator()(const relay::confirmed&) const { return std::nullopt; }
    std::optional<std::string> operator()(const relay::returned& r) const {
        return fmt::format("{} {}", r.code, r.text);
    }
    std::optional<std::string> operator()(const relay::refused&) const { return "nack"; }
    std::optional<std::string> operator()(const relay::no_exchange& r) const {
        return fmt::format("{} {}", r.code, r.text);
    }
    std::optional<std::string> operator()(const relay::impossible& r) const { return r.reason; }
    std::optional<std::string> operator()(const relay::unknown& r) const {
        return r.maybe_sent ? "the connection was lost: it is not known whether it was sent"
                            : "the connection was lost";
    }
};

}  // namespace

std::optional<std::string> send_again(const outbox::consumer_failure& one, const conf::settings& settings) {
    auto as_it_was = settings.message;
    as_it_was.envelope = conf::envelope::none;
    outbox::message row;
    row.id = one.message_id.value_or("");
    row.body = one.payload;
    row.exchange = one.exchange;
    row.routing_key = one.routing_key;
    row.headers = living_headers(one.headers);
    row.properties = one.properties;
    auto made = relay::composer(as_it_was).compose(std::move(row), 0);
    if (const auto* why = std::get_if<relay::impossible>(&made)) return why->reason;

    listener heard;
    auto broker = settings.broker;
    broker.confirm_timeout = std::min<conf::milliseconds>(broker.confirm_timeout, patience);
    const auto publisher = relay::make_publisher(broker, {}, 1, relay::seeded_source(std::random_device{}()), heard);
    std::vector<relay::attempt> outcomes;
    const relay::steady_clock clock;
    const auto deadline = clock.now() + 2 * patience;
    while (publisher->room() == 0) {
        publisher->poll(100ms, outcomes);
        if (clock.now() > deadline) return heard.why_down;
    }
    publisher->send(std::move(std::get<relay::outgoing>(made)), outcomes);
    while (outcomes.empty() && clock.now() < deadline) publisher->poll(100ms, outcomes);
    publisher->close(outcomes);
    return std::visit(words{}, outcomes.front().result);
}

}  // namespace sidecar
