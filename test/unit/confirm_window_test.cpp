#include "relay/confirm_window.hpp"

#include <doctest/doctest.h>

#include <random>

namespace relay {
namespace {

delivery to(const std::string& id, const std::string& exchange = "orders", std::uint64_t size = 10) {
    return {id, exchange, "key", 0, size};
}

struct fixture {
    confirm_window window{100};
    std::vector<attempt> outcomes;

    void send(const std::string& id, const std::string& exchange = "orders", std::uint64_t size = 10) {
        window.sent(to(id, exchange, size), id, {});
    }

    template <class Outcome>
    std::vector<std::string> ids() const {
        std::vector<std::string> found;
        for (const auto& one : outcomes) {
            if (std::holds_alternative<Outcome>(one.result)) found.push_back(one.row.id);
        }
        return found;
    }
};

using names = std::vector<std::string>;

TEST_CASE_FIXTURE(fixture, "a multiple ack answers every earlier delivery, once") {
    for (const auto* id : {"a", "b", "c", "d"}) send(id);
    CHECK(window.acked(2, false, outcomes));
    CHECK(window.acked(3, true, outcomes));
    CHECK(ids<confirmed>() == names{"b", "a", "c"});
    CHECK(window.outstanding() == 1);
    CHECK(window.acked(3, true, outcomes));
    CHECK(outcomes.size() == 3);
}

TEST_CASE_FIXTURE(fixture, "a multiple ack of tag zero answers all") {
    for (const auto* id : {"a", "b"}) send(id);
    CHECK(window.acked(0, true, outcomes));
    CHECK(ids<confirmed>() == names{"a", "b"});
}

TEST_CASE_FIXTURE(fixture, "an answer to a tag that was never used is refused") {
    send("a");
    CHECK_FALSE(window.acked(2, false, outcomes));
    CHECK_FALSE(window.acked(2, true, outcomes));
    CHECK_FALSE(window.acked(0, false, outcomes));
    CHECK_FALSE(window.nacked(~0ULL, true, outcomes));
    CHECK(outcomes.empty());
    CHECK(window.outstanding() == 1);
}

TEST_CASE_FIXTURE(fixture, "a return and its ack together are one outcome: returned") {
    for (const auto* id : {"a", "b", "c"}) send(id);
    CHECK(window.returned("b", 312, "NO_ROUTE"));
    CHECK(outcomes.empty());
    CHECK(window.acked(3, true, outcomes));
    CHECK(ids<confirmed>() == names{"a", "c"});
    REQUIRE(ids<returned>() == names{"b"});
    CHECK(std::get<returned>(outcomes[1].result).code == 312);
}

TEST_CASE_FIXTURE(fixture, "a return of something that is not on its way is refused") {
    send("a");
    CHECK_FALSE(window.returned("z", 312, "NO_ROUTE"));
    CHECK(window.returned("a", 312, "NO_ROUTE"));
    CHECK_FALSE(window.returned("a", 312, "NO_ROUTE"));
}

TEST_CASE_FIXTURE(fixture, "a return is known by the message id that was sent, also where that is not the row's id") {
    window.sent(to("a very long id"), "sha256:abc", {});
    CHECK(window.returned("sha256:abc", 312, "NO_ROUTE"));
    CHECK(window.acked(1, false, outcomes));
    CHECK(ids<returned>() == names{"a very long id"});
}

TEST_CASE_FIXTURE(fixture, "a nack refuses, also several at once") {
    for (const auto* id : {"a", "b", "c"}) send(id);
    CHECK(window.nacked(2, true, outcomes));
    CHECK(ids<refused>() == names{"a", "b"});
}

TEST_CASE_FIXTURE(fixture, "a lost connection makes everything unanswered unknown, and tags begin anew") {
    for (const auto* id : {"a", "b", "c"}) send(id);
    window.acked(2, false, outcomes);
    outcomes.clear();
    window.lost(outcomes);
    CHECK(ids<unknown>() == names{"a", "c"});
    outcomes.clear();
    send("d");
    CHECK(window.acked(1, false, outcomes));
    CHECK(ids<confirmed>() == names{"d"});
}

TEST_CASE_FIXTURE(fixture, "when an exchange is missing, only its own messages pay") {
    send("a");
    send("b", "gone");
    send("c");
    send("d", "gone");
    window.channel_closed(404, "NOT_FOUND - no exchange 'gone' in vhost '/'", outcomes);
    CHECK(ids<no_exchange>() == names{"b", "d"});
    CHECK(ids<unknown>() == names{"a", "c"});
    CHECK(window.room() == 100);
}

TEST_CASE_FIXTURE(fixture, "quotes in an exchange's name accuse nobody else") {
    send("a", "x' in vhost '/");
    send("b", "x");
    window.channel_closed(404, "NOT_FOUND - no exchange 'x' in vhost '/' in vhost '/'", outcomes);
    CHECK(ids<no_exchange>() == names{"a", "b"});  // either may be meant, and both get another try
    outcomes.clear();
    send("c", "orders");
    send("d", "order");
    window.channel_closed(403, "ACCESS_REFUSED - write access to exchange 'order' in vhost '/' refused", outcomes);
    CHECK(ids<no_exchange>() == names{"d"});
}

TEST_CASE_FIXTURE(fixture, "where a topic is forbidden, other keys of the exchange do not pay") {
    window.sent({"a", "orders", "eu.paid", 0, 1}, "a", {});
    window.sent({"b", "orders", "us.paid", 0, 1}, "b", {});
    window.channel_closed(403, "ACCESS_REFUSED - write access to topic 'us.paid' in exchange 'orders' in vhost '/'",
                          outcomes);
    CHECK(ids<no_exchange>() == names{"b"});
    CHECK(ids<unknown>() == names{"a"});
}

TEST_CASE_FIXTURE(fixture, "the default exchange goes by its broker name in a refusal") {
    send("a", "");
    send("b");
    window.channel_closed(403, "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused",
                          outcomes);
    CHECK(ids<no_exchange>() == names{"a"});
}

TEST_CASE_FIXTURE(fixture, "a body over the limit that the broker names is impossible, the others go again") {
    send("a", "orders", 100);
    send("b", "orders", 2'000);
    window.channel_closed(406, "PRECONDITION_FAILED - message size 2000 is larger than configured max size 1000",
                          outcomes);
    CHECK(ids<impossible>() == names{"b"});
    CHECK(ids<unknown>() == names{"a"});
}

TEST_CASE_FIXTURE(fixture, "a culprit that nobody names is found by halving, at nobody else's cost") {
    const auto close = [&] { window.channel_closed(406, "PRECONDITION_FAILED - odd", outcomes); };
    for (int i = 0; i < 8; ++i) send(std::to_string(i));
    close();
    CHECK(ids<unknown>().size() == 8);
    std::vector<std::size_t> rooms;
    while (ids<impossible>().empty() && rooms.size() < 10) {
        outcomes.clear();
        rooms.push_back(window.room());
        for (std::size_t i = window.room(); i > 0; --i) send(std::to_string(i));
        close();
    }
    CHECK(rooms == std::vector<std::size_t>{4, 2, 1});
    CHECK(ids<impossible>() == names{"1"});
    CHECK(window.room() == 100);
}

TEST_CASE_FIXTURE(fixture, "the search for a culprit ends when all suspects have passed") {
    for (const auto* id : {"a", "b"}) send(id);
    window.channel_closed(406, "PRECONDITION_FAILED - odd", outcomes);
    CHECK(window.room() == 1);
    send("a");
    window.acked(1, false, outcomes);
    CHECK(window.room() == 1);
    send("b");
    window.acked(2, false, outcomes);
    CHECK(window.room() == 100);
}

TEST_CASE_FIXTURE(fixture, "the oldest message tells how long the broker has been silent") {
    using namespace std::chrono_literals;
    CHECK_FALSE(window.oldest());
    window.sent(to("a"), "a", time_point(1s));
    window.sent(to("b"), "b", time_point(2s));
    CHECK(window.oldest() == time_point(1s));
    window.acked(1, false, outcomes);
    CHECK(window.oldest() == time_point(2s));
}

TEST_CASE("the limit is read from what different brokers say") {
    CHECK(size_limit_named_in("message size 17 is larger than configured max size 16") == 16);
    CHECK(size_limit_named_in("message size 17 larger than max size 16777216") == 16'777'216);
    CHECK_FALSE(size_limit_named_in("PRECONDITION_FAILED"));
    CHECK_FALSE(size_limit_named_in("max size of nothing"));
    CHECK_FALSE(size_limit_named_in("max size 99999999999999999999999"));
}

TEST_CASE("in any history each message has exactly one outcome, and the window's count is right") {
    for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
        std::mt19937_64 random(seed);
        confirm_window window(50);
        std::vector<attempt> outcomes;
        std::size_t sent = 0;
        std::uint64_t tags = 0;
        for (int step = 0; step < 200; ++step) {
            switch (random() % 6) {
                case 0:
                case 1:
                case 2:
                    if (window.room() == 0) break;
                    ++sent;
                    window.sent(to(std::to_string(sent), sent % 9 == 0 ? "gone" : "orders"), std::to_string(sent), {});
                    ++tags;
                    break;
                case 3: window.acked(random() % (tags + 2), random() % 2 == 0, outcomes); break;
                case 4: window.nacked(random() % (tags + 2), random() % 2 == 0, outcomes); break;
                default:
                    if (random() % 10 > 0) break;
                    random() % 2 == 0 ? window.lost(outcomes) : window.channel_closed(404, "exchange 'gone'", outcomes);
                    tags = 0;
            }
            REQUIRE_MESSAGE(outcomes.size() + window.outstanding() == sent, "seed " << seed << ", step " << step);
        }
        window.lost(outcomes);
        std::vector<bool> seen(sent + 1);
        for (const auto& one : outcomes) {
            const auto id = std::stoul(one.row.id);
            REQUIRE_MESSAGE(!seen[id], "seed " << seed << ": a second outcome for " << id);
            seen[id] = true;
        }
        REQUIRE(outcomes.size() == sent);
    }
}

}  // namespace
}  // namespace relay
