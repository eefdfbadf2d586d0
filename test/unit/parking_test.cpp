#include "relay/parking.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "simulated_table.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;

struct told final : observer {
    void parked(std::string_view exchange, std::string_view key, std::string_view why) override {
        said.push_back("parked " + std::string(exchange) + "/" + std::string(key) + " " + std::string(why));
    }
    void unparked(std::string_view, std::string_view key, std::optional<std::size_t> rows) override {
        said.push_back((rows ? "released " : "forgotten ") + std::string(key));
    }
    void parking(std::size_t keys_now, std::uint64_t rows_now) override {
        keys = keys_now;
        rows = rows_now;
    }
    void broker_warning(std::string_view text) override { said.emplace_back(text); }

    std::vector<std::string> said;
    std::size_t keys = 0;
    std::uint64_t rows = 0;
};

struct fixture {
    fixture() { registry.database_clock(clock.database_now(), clock.now()); }

    outbox::message row(const std::string& id, const std::string& key = "k") const {
        outbox::message one;
        one.id = id;
        one.exchange = "e";
        one.routing_key = key;
        one.next_try_time = clock.database_now();
        return one;
    }

    /// What becomes of a row that was sent just now.
    attempt sent(const std::string& id, outcome result, const std::string& key = "k") {
        const auto when = clock.now();
        clock.advance(1ms);
        attempt one{{id, "e", key, 0, 0}, std::move(result), when};
        registry.judge(one);
        registry.announce();
        return one;
    }
    std::optional<outbox::epoch_ms> parked_until(const attempt& one) const {
        const auto* result = std::get_if<parked>(&one.result);
        return result == nullptr ? std::nullopt : std::optional(result->until);
    }

    simulation::turned_clock clock;
    told watch;
    parking registry{clock, watch, {30s, 3}};
    const returned no_route{312, "NO_ROUTE"};
};

TEST_CASE_FIXTURE(fixture,
                  "the first message that comes back is put off for a probe, the others for the hold, unsent") {
    CHECK_FALSE(registry.hold_back(row("a")));
    const auto probe = sent("a", no_route);
    CHECK(parked_until(probe) == clock.database_now() + 30'000);
    CHECK(std::get<parked>(probe.result).reason == "312 NO_ROUTE");

    const auto also_sent = sent("b", no_route);
    const auto held = registry.hold_back(row("c"));
    REQUIRE(held);
    CHECK(held->until == parked_until(also_sent));
    CHECK(held->until >= clock.database_now() + 299'000);
    CHECK_FALSE(registry.hold_back(row("d", "another key")));
    CHECK(watch.said == std::vector<std::string>{"parked e/k 312 NO_ROUTE"});
    registry.tidy();
    CHECK(watch.keys == 1);
    CHECK(watch.rows == 3);
}

TEST_CASE_FIXTURE(fixture, "when the probe arrives, all that wait are released, and the key is as any other") {
    sent("a", no_route);
    const auto hold = registry.hold_back(row("b"))->until;
    clock.advance(30s);
    CHECK_FALSE(registry.hold_back(row("a")));
    CHECK(registry.orders().empty());
    sent("a", confirmed{});
    const auto orders = registry.orders();
    REQUIRE(orders.size() == 1);
    CHECK(orders[0].routing_key == "k");
    CHECK(std::set(orders[0].times.begin(), orders[0].times.end()).count(hold) == 1);
    CHECK(registry.orders().empty());
    CHECK_FALSE(registry.hold_back(row("c")));
    clock.advance(1s);
    registry.tidy();
    CHECK(watch.rows == 0);
}

TEST_CASE_FIXTURE(fixture, "orders are not seen before they are announced") {
    sent("a", no_route);
    clock.advance(30s);
    CHECK_FALSE(registry.hold_back(row("a")));
    attempt probe{{"a", "e", "k", 0, 0}, confirmed{}, clock.now()};
    registry.judge(probe);
    CHECK(registry.orders().empty());
    registry.announce();
    CHECK(registry.orders().size() == 1);
}

TEST_CASE_FIXTURE(fixture, "one probe at a time is sent, and after it another, a park_probe later") {
    sent("a", no_route);
    clock.advance(30s);
    CHECK_FALSE(registry.hold_back(row("a")));
    CHECK(registry.hold_back(row("b")));
    const auto again = sent("a", no_route);
    CHECK(parked_until(again) == clock.database_now() + 30'000);
    clock.advance(29s);
    CHECK(registry.hold_back(row("b")));
    clock.advance(1s);
    CHECK_FALSE(registry.hold_back(row("a")));
    CHECK(watch.said.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "any message is a probe when its time has come: the first one may be gone") {
    sent("a", no_route);
    clock.advance(31s);
    CHECK_FALSE(registry.hold_back(row("new")));
    CHECK(registry.hold_back(row("a")));
    sent("new", confirmed{});
    CHECK(registry.orders().size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a probe that comes due early by the process's clock is sent all the same") {
    sent("a", no_route);
    clock.advance(29s);
    CHECK(registry.hold_back(row("b")));
    CHECK_FALSE(registry.hold_back(row("a")));
}

TEST_CASE_FIXTURE(fixture, "a probe whose outcome is unknown, or another one, is followed by the next at once") {
    for (const outcome& result : {outcome(unknown{}), outcome(refused{}), outcome(no_exchange{404, "NOT_FOUND"}),
                                  outcome(impossible{"too large"})}) {
        sent("a", no_route);
        clock.advance(31s);
        CHECK_FALSE(registry.hold_back(row("a")));
        CHECK(sent("a", result).result.index() == result.index());
        CHECK_FALSE(registry.hold_back(row("b")));
        sent("b", no_route);
        CHECK(registry.hold_back(row("c")));
        CHECK(registry.orders().empty());
    }
}

TEST_CASE_FIXTURE(fixture, "a confirm of what was sent before the key was parked says nothing") {
    const auto before = clock.now();
    clock.advance(1ms);
    sent("a", no_route);
    attempt late{{"b", "e", "k", 0, 0}, confirmed{}, before};
    registry.judge(late);
    registry.announce();
    CHECK(std::holds_alternative<confirmed>(late.result));
    CHECK(registry.orders().empty());
    CHECK(registry.hold_back(row("c")));
}

TEST_CASE_FIXTURE(fixture, "when the hold is over, there is a new one, later and another's never") {
    sent("a", no_route);
    sent("x", no_route, "other");
    const auto first = registry.hold_back(row("b"))->until;
    const auto others = registry.hold_back(row("y", "other"))->until;
    CHECK(first != others);
    clock.advance(299s);
    sent("a", no_route);
    CHECK(registry.hold_back(row("c"))->until == first);
    clock.advance(2s);
    sent("a", no_route);
    const auto second = registry.hold_back(row("b"))->until;
    CHECK(second > first);
    CHECK(second > clock.database_now() + 298'000);
    CHECK(registry.hold_back(row("c"))->until == second);
    registry.tidy();
    CHECK(watch.keys == 2);
    CHECK(watch.rows == 5);  // of "other", the probe and y
}

TEST_CASE_FIXTURE(fixture, "a row that is due shows that its time has come, whatever the clock was") {
    sent("a", no_route);
    const auto hold = registry.hold_back(row("b"))->until;
    auto again = row("b");
    again.next_try_time = hold;  // the database's clock was set forward
    CHECK(registry.hold_back(again)->until > hold + 290'000);
}

TEST_CASE_FIXTURE(fixture, "beyond so many keys returned messages spend tries, which is said once") {
    for (const auto* key : {"1", "2", "3"}) CHECK(parked_until(sent("a", no_route, key)));
    CHECK(std::holds_alternative<returned>(sent("a", no_route, "4").result));
    CHECK(std::holds_alternative<returned>(sent("b", no_route, "5").result));
    CHECK_FALSE(registry.hold_back(row("c", "4")));
    CHECK(watch.said.size() == 4);
    clock.advance(31s);
    CHECK_FALSE(registry.hold_back(row("a", "1")));
    sent("a", confirmed{}, "1");
    CHECK(parked_until(sent("a", no_route, "4")));
}

TEST_CASE_FIXTURE(fixture, "a key of which nothing is heard for two holds is forgotten") {
    sent("a", no_route);
    registry.tidy();
    CHECK(watch.keys == 1);
    clock.advance(601s);
    registry.tidy();
    CHECK(watch.keys == 0);
    CHECK(watch.said.back() == "forgotten k");
    CHECK_FALSE(registry.hold_back(row("b")));
}

TEST_CASE("the hold is ten probes, at most five minutes, at least two probes") {
    CHECK(parking::hold_of(1s) == 10s);
    CHECK(parking::hold_of(30s) == 5min);
    CHECK(parking::hold_of(2min) == 5min);
    CHECK(parking::hold_of(1h) == 2h);
}

}  // namespace
}  // namespace relay
