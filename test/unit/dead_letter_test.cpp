#include "relay/dead_letter.hpp"

#include <doctest/doctest.h>

#include "relay/amqp_table.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using relay::decide;
using relay::destination;
using relay::read_certificate;

namespace {

json death(const std::string& queue, const std::string& reason, std::int64_t time,
           const std::string& exchange = "orders", const std::string& key = "order.created") {
    return {{"queue", queue}, {"reason", reason},     {"time", time},
            {"count", 1},     {"exchange", exchange}, {"routing-keys", json::array({key})}};
}

json died_at(std::int64_t time) {
    return {{"x-death", json::array({death("orders.created", "rejected", time)})},
            {"x-first-death-queue", "orders.created"},
            {"x-first-death-reason", "rejected"},
            {"x-first-death-exchange", "orders"}};
}

conf::dead_letters settings() {
    conf::dead_letters one;
    one.queue = "orders.dead";
    one.interval = 10min;
    return one;
}

template <class Fate>
bool is(const relay::fate& what) {
    return std::holds_alternative<Fate>(what);
}

}  // namespace

TEST_SUITE("dead letters") {
    TEST_CASE("a letter goes back to where it was first published, however often it died since") {
        auto headers = died_at(100);
        headers["x-death"].insert(headers["x-death"].begin(),
                                  death("orders.retry", "expired", 160, "", "orders.retry"));
        headers["x-death"][1]["count"] = 4;
        const auto found = read_certificate(headers);
        CHECK(found.origin == destination{"orders", "order.created"});
        CHECK(found.queue == "orders.created");
        CHECK(found.reason == "rejected");
        CHECK(found.deaths == 5);
        CHECK(found.died == 160);
        headers.erase("x-first-death-queue");  // then the oldest is the last
        CHECK(read_certificate(headers).origin == destination{"orders", "order.created"});
    }

    TEST_CASE("of a letter that a consumer has published itself, the headers of its library say where it came from") {
        const json headers = {{"x-original-exchange", "orders"},
                              {"x-original-routingKey", "order.created"},
                              {"x-exception-message", "no such customer"},
                              {"x-exception-stacktrace", "at Orders.java:7"}};
        const auto found = read_certificate(headers);
        CHECK(found.origin == destination{"orders", "order.created"});
        CHECK(found.exception == "no such customer");
        CHECK(found.stack_trace == "at Orders.java:7");
        CHECK_FALSE(found.died);
        CHECK(is<relay::redrive>(decide(found, settings(), 1'000)));
    }

    TEST_CASE("headers of other types than the broker's are as if they were not there") {
        for (const json& headers :
             {json::object(), json{{"x-death", "x"}}, json{{"x-death", json::array({1, "x", nullptr})}},
              json{{"x-death", json::array({json::object()})}},
              json{{"x-death", json::array({{{"exchange", 7}, {"time", "soon"}, {"count", -3}}})}},
              json{{"x-outbox-redrives", "many"}, {"x-outbox-not-before", -1.5}, {"x-delivery-count", 1e300}},
              json{{"x-original-exchange", nullptr}}}) {
            CAPTURE(headers.dump());
            const auto found = read_certificate(headers);
            CHECK_FALSE(found.origin);
            CHECK_FALSE(found.died);
            CHECK(found.redrives == 0);
            CHECK(found.not_before == 0);
            CHECK(found.deliveries == 0);
            CHECK(is<relay::no_origin>(decide(found, settings(), 1'000)));
        }
    }

    TEST_CASE("a redrive waits until the interval after the death is over") {
        const auto letter = read_certificate(died_at(1'000));
        const auto early = decide(letter, settings(), 1'001);
        REQUIRE(is<relay::wait>(early));
        CHECK(std::get<relay::wait>(early).time == 599s);
        CHECK(is<relay::wait>(decide(letter, settings(), 1'599)));
        const auto due = decide(letter, settings(), 1'600);
        REQUIRE(is<relay::redrive>(due));
        CHECK(std::get<relay::redrive>(due).to == destination{"orders", "order.created"});
    }

    TEST_CASE("after so many redrives it is filed, without another interval") {
        auto headers = died_at(1'000);
        for (const int redrives : {0, 2}) {
            headers["x-outbox-redrives"] = redrives;
            CHECK(is<relay::redrive>(decide(read_certificate(headers), settings(), 2'000)));
        }
        for (const int redrives : {3, 4}) {
            headers["x-outbox-redrives"] = redrives;
            CHECK(is<relay::file>(decide(read_certificate(headers), settings(), 1'001)));
        }
        auto never = settings();
        never.max_redrives = 0;
        CHECK(is<relay::file>(decide(read_certificate(died_at(1'000)), never, 1'001)));
    }

    TEST_CASE("what was put off is left alone until then, be it redriven or filed") {
        auto headers = died_at(1'000);
        headers["x-outbox-not-before"] = 5'000;
        for (const int redrives : {0, 3}) {
            headers["x-outbox-redrives"] = redrives;
            CHECK(is<relay::wait>(decide(read_certificate(headers), settings(), 4'999)));
            CHECK_FALSE(is<relay::wait>(decide(read_certificate(headers), settings(), 5'000)));
        }
    }

    TEST_CASE("each redrive is counted, and the next one is an interval away, also without an x-death") {
        auto headers = died_at(1'000);
        headers["x-outbox-redrives"] = 1;
        const auto with = relay::headers_of_redrive(read_certificate(headers), settings(), 2'000);
        CHECK(with == json{{"x-outbox-redrives", 2}, {"x-outbox-not-before", 2'600}});
        json again = with;
        again["x-original-exchange"] = "orders";
        CHECK(is<relay::wait>(decide(read_certificate(again), settings(), 2'599)));
        CHECK(is<relay::redrive>(decide(read_certificate(again), settings(), 2'600)));
    }

    TEST_CASE("an override says where to: an exchange with the letter's own key, a queue, or both") {
        const auto letter = read_certificate(died_at(1'000));
        const auto nowhere = read_certificate(json::object());
        auto s = settings();
        s.exchange = "audit";
        CHECK(relay::destination_of(letter, s) == destination{"audit", "order.created"});
        CHECK(relay::destination_of(nowhere, s) == destination{"audit", ""});
        s.routing_key = "again";
        CHECK(relay::destination_of(letter, s) == destination{"audit", "again"});
        s.exchange.clear();
        CHECK(relay::destination_of(nowhere, s) == destination{"", "again"});
    }

    TEST_CASE("an obituary says why, where, how often and when, and what the consumer left") {
        auto headers = died_at(1'700'000'000);
        headers["x-outbox-redrives"] = 3;
        headers["x-exception-message"] = "no such customer";
        headers["x-exception-stacktrace"] = "at Orders.java:7";
        CHECK(relay::obituary(read_certificate(headers), "orders.dead", "5f2a", "") ==
              "rejected in queue 'orders.created'; from dead-letter queue 'orders.dead'; redriven 3 times; last died "
              "2023-11-14T22:13:20Z; letter 5f2a\nno such customer\nat Orders.java:7");
        CHECK(relay::obituary(read_certificate(json::object()), "q", "1", "too large") ==
              "died; from dead-letter queue 'q'; never redriven; letter 1\ntoo large");
    }

    TEST_CASE("a table of AMQP becomes JSON, whatever is in it") {
        amqp_pool_t pool{};
        init_amqp_pool(&pool, 4096);
        const json object = {{"text", "x"},
                             {"whole", -7},
                             {"half", 0.5},
                             {"yes", true},
                             {"nothing", nullptr},
                             {"list", json::array({1, json{{"a", "b"}}})},
                             {"table", {{"deep", json::object()}}}};
        CHECK(relay::amqp::to_json(relay::amqp::to_table(object, pool)) == object);
        json deep = json::object();
        for (int i = 0; i < 100; ++i) deep = {{"a", deep}};
        CHECK(relay::amqp::to_json(relay::amqp::to_table(deep, pool)).dump().size() < 300);
        empty_amqp_pool(&pool);
    }
}
