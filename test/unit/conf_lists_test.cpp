#include <doctest/doctest.h>

#include <string>

#include "conf/load.hpp"
#include "conf_testing.hpp"

using namespace std::chrono_literals;
using conf_testing::load;
using conf_testing::problems;

TEST_CASE("what a route doesn't say it takes from retry, wherever that stands") {
    for (const std::string yaml : {R"(
retry:
  routes: [{exchange: "audit.*", max_retries: 10, initial: 1s}, {routing_key: "a.?"}]
  strategy: fixed
  initial: 5s
  jitter: 0.5
)",
                                   R"(
retry:
  strategy: fixed
  initial: 5s
  jitter: 0.5
  routes: [{exchange: "audit.*", max_retries: 10, initial: 1s}, {routing_key: "a.?"}]
)"}) {
        const auto s = load(yaml);
        REQUIRE(s.retry_routes.size() == 2);
        CHECK(s.retry_routes[0].exchange == "audit.*");
        CHECK(s.retry_routes[0].routing_key == "*");
        CHECK(s.retry_routes[0].retry ==
              conf::retry{.strategy = conf::retry_strategy::fixed, .initial = 1s, .jitter = 0.5, .max_retries = 10});
        CHECK(s.retry_routes[1].exchange == "*");
        CHECK(s.retry_routes[1].routing_key == "a.?");
        CHECK(s.retry_routes[1].retry == s.retry);
    }
}

TEST_CASE("a route takes over what variables and overrides made of retry") {
    const auto s = load("retry: {routes: [{exchange: a}]}", {{"OUTBOX_RETRY_INITIAL", "7s"}}, {"retry.max_retries=9"});
    CHECK(s.retry_routes.at(0).retry.initial == 7s);
    CHECK(s.retry_routes.at(0).retry.max_retries == 9);
}

TEST_CASE("the topology is read with its types") {
    const auto s = load(R"(
topology:
  exchanges:
    - {name: orders, type: fanout, durable: false, auto_delete: true, internal: true}
    - name: audit
  queues:
    - name: q
      exclusive: true
      arguments:
        a: true
        b: 42
        c: -7
        d: 1.5
        e: 1e3
        f: "42"
        g: 'true'
        h: !!str 42
        i: some text
        j: ~
        k: [1, "1", {x: false}]
        l: 007
        m: yes
        n: 9223372036854775807
        o: ""
  bindings:
    - {exchange: orders, queue: q, routing_key: "#"}
    - {exchange: orders, to_exchange: audit}
)");
    REQUIRE(s.topology.exchanges.size() == 2);
    CHECK(s.topology.exchanges[0] == conf::exchange{"orders", "fanout", false, true, true, {}});
    CHECK(s.topology.exchanges[1] == conf::exchange{.name = "audit", .arguments = {}});
    REQUIRE(s.topology.queues.size() == 1);
    CHECK(s.topology.queues[0].exclusive);
    CHECK(s.topology.queues[0].arguments == std::vector<conf::argument>{{"a", "true"},
                                                                        {"b", "42"},
                                                                        {"c", "-7"},
                                                                        {"d", "1.5"},
                                                                        {"e", "1000.0"},
                                                                        {"f", "\"42\""},
                                                                        {"g", "\"true\""},
                                                                        {"h", "\"42\""},
                                                                        {"i", "\"some text\""},
                                                                        {"j", "null"},
                                                                        {"k", R"([1,"1",{"x":false}])"},
                                                                        {"l", "\"007\""},
                                                                        {"m", "\"yes\""},
                                                                        {"n", "9223372036854775807"},
                                                                        {"o", "\"\""}});
    REQUIRE(s.topology.bindings.size() == 2);
    CHECK(s.topology.bindings[0] == conf::binding{"orders", "q", "", "#", {}});
    CHECK(s.topology.bindings[1] == conf::binding{"orders", "", "audit", "", {}});
}

TEST_CASE("a topology that can't be declared is refused") {
    const struct {
        std::string yaml;
        std::string problem;
    } cases[] = {
        {"topology: {queues: [{durable: true}]}", "file:1:21: topology.queues[0].name: is required: the queue's name"},
        {"topology: {exchanges: [{name: ''}]}",
         "file:1:31: topology.exchanges[0].name: is required: the exchange's name"},
        {"topology: {bindings: [{queue: q}]}",
         "file:1:23: topology.bindings[0].exchange: is required: the exchange that messages come from"},
        {"topology: {bindings: [{exchange: e}]}",
         "file:1:23: topology.bindings[0].queue: a binding leads to a queue or to an exchange: give one of queue and "
         "to_exchange"},
        {"topology: {bindings: [{exchange: e, queue: q, to_exchange: f}]}",
         "file:1:44: topology.bindings[0].queue: a binding leads to a queue or to an exchange: give one of queue and "
         "to_exchange"},
        {"topology: {queues: [{name: q, arguments: [a]}]}",
         "file:1:42: topology.queues[0].arguments: expected a map (name: value), found a list"},
        {"topology: {queues: [{name: q, arguments: {a: 9223372036854775808}}]}",
         "file:1:43: topology.queues[0].arguments.a: expected an integer of at most 64 bits; quote it if it is a text"},
        {"topology: {queues: [{name: q, arguments: {a: 1, a: 2}}]}",
         "file:1:49: topology.queues[0].arguments.a: expected each name once"},
        {"topology: {queues: [{name: q, arguments: {a: {b: 1, b: 2}}}]}",
         "file:1:43: topology.queues[0].arguments.a: expected each key once (\"b\" occurs twice)"},
    };
    for (const auto& [yaml, problem] : cases) {
        CAPTURE(yaml);
        CHECK(problems(yaml) == problem);
    }
    CHECK(problems("topology: {queues: [{name: " + std::string(256, 'q') + "}]}").find("at most 255 bytes") !=
          std::string::npos);
}

TEST_CASE("log: stands for no broker, and stands alone") {
    CHECK(load("", {{"OUTBOX_BROKER_URLS", "log:"}}).broker.urls == std::vector<std::string>{"log:"});
    for (const std::string urls : {"log:,amqp://h", "log://stdout", "log:x", "log"}) {
        CAPTURE(urls);
        CHECK_FALSE(problems("", {{"OUTBOX_BROKER_URLS", urls}}).empty());
    }
}
