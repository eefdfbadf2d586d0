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
    std::optional<std::string> operator()(const relay::parked& p) const { return p.reason; }
};

}  // namespace

struct sender_again::impl {
    const conf::settings& settings;
    const std::function<bool()> go_on;
    relay::composer composer;
    listener heard;
    std::unique_ptr<relay::publisher> publisher;
    std::string away;
    const relay::steady_clock clock = {};

    static conf::message as_it_was(conf::message message) {
        message.envelope = conf::envelope::none;
        return message;
    }

    impl(const conf::settings& from, std::function<bool()> while_so)
        : settings(from), go_on(std::move(while_so)), composer(as_it_was(from.message)) {}

    // Polls until `over` or the deadline.
    void await(std::vector<relay::attempt>& outcomes, relay::time_point deadline, const std::function<bool()>& over) {
        while (!over() && clock.now() < deadline && go_on()) publisher->poll(100ms, outcomes);
    }

    std::optional<std::string> publish(relay::outgoing one) {
        if (!publisher) {
            auto broker = settings.broker;
            broker.confirm_timeout = std::min<conf::milliseconds>(broker.confirm_timeout, patience);
            publisher = relay::make_publisher(broker, {}, 1, relay::seeded_source(std::random_device{}()), heard);
        }
        std::vector<relay::attempt> outcomes;
        const auto deadline = clock.now() + 2 * patience;
        await(outcomes, deadline, [&] { return publisher->room() > 0; });
        if (publisher->room() == 0) {
            publisher.reset();
            away = heard.why_down;
            return away;
        }
        publisher->send(std::move(one), outcomes);
        await(outcomes, deadline, [&] { return !outcomes.empty(); });
        if (outcomes.empty()) {
            publisher->close(outcomes);
            publisher.reset();
        }
        return std::visit(words{}, outcomes.front().result);
    }
};

sender_again::sender_again(const conf::settings& settings, std::function<bool()> go_on)
    : impl_(std::make_unique<impl>(settings, std::move(go_on))) {}

sender_again::~sender_again() {
    std::vector<relay::attempt> none;
    if (impl_->publisher) impl_->publisher->close(none);
}

const std::string& sender_again::away() const { return impl_->away; }

std::optional<std::string> sender_again::send(const outbox::consumer_failure& one) {
    if (!impl_->away.empty()) return impl_->away;
    outbox::message row;
    row.id = one.message_id.value_or("");
    row.body = one.payload;
    row.exchange = one.exchange;
    row.routing_key = one.routing_key;
    row.headers = living_headers(one.headers);
    row.properties = one.properties;
    auto made = impl_->composer.compose(std::move(row), 0);
    if (const auto* why = std::get_if<relay::impossible>(&made)) return why->reason;
    return impl_->publish(std::move(std::get<relay::outgoing>(made)));
}

}  // namespace sidecar
