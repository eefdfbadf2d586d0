#include <doctest/doctest.h>

#include "conf/print.hpp"
#include "conf_testing.hpp"

using namespace std::chrono_literals;
using conf_testing::load;
using conf_testing::problems;

TEST_CASE("a dead-letter queue needs a name, and has defaults for the rest") {
    const auto s =
        load("dead_letters: [{queue: orders.dead}, {queue: b, interval: 0s, max_redrives: 0, paused: true}]");
    REQUIRE(s.dead_letters.size() == 2);
    conf::dead_letters named;
    named.queue = "orders.dead";
    CHECK(s.dead_letters[0] == named);
    CHECK(s.dead_letters[1].interval == 0s);
    CHECK(s.dead_letters[1].paused);
    CHECK(load("log: {level: info}").dead_letters.empty());
    CHECK(problems("dead_letters: [{interval: 5s}]")
              .find("give one of them: the dead-letter queue's name, or a pattern of names") != std::string::npos);
}

TEST_CASE("dead-letter queues by pattern need the management API") {
    CHECK(problems("dead_letters: [{pattern: '*.dlq'}]").find("needs management.url") != std::string::npos);
    const auto s = load("dead_letters: [{queue: a}, {pattern: '*.dlq'}]\nmanagement: {url: 'http://u@h:15672'}");
    CHECK(s.dead_letters[1].pattern == "*.dlq");
    CHECK(s.dead_letters[1].queue.empty());
    CHECK(problems("dead_letters: [{queue: a, pattern: '*'}]").find("give one of them") != std::string::npos);
}

TEST_CASE("a webhook needs a key, and an url that HTTP understands") {
    CHECK(problems("webhook: {url: 'https://h/x?y=%20z'}").find("is required: what is sent is signed with it") !=
          std::string::npos);
    CHECK(problems("webhook: {routes: [{exchange: x}]}").find("is required") != std::string::npos);
    CHECK(problems("webhook: {url: 'ftp://h/x', key: k}").find("https, http") != std::string::npos);
    CHECK(problems("webhook: {url: 'https://h/x?y=%20z', key: k}").empty());
}

TEST_CASE("of the url of a webhook no more is shown than where it leads") {
    const auto shown = conf::print_json(load(
        "webhook: {url: 'https://u:p@h:8443/services/hush?x=y', key: hunter2, routes: [{url: 'https://h2/hush'}]}"));
    CHECK(shown.find("https://u:***@h:8443/***") != std::string::npos);
    CHECK(shown.find("https://h2/***") != std::string::npos);
    for (const char* hidden : {"hush", "x=y", "hunter2"}) CHECK(shown.find(hidden) == std::string::npos);
}

TEST_CASE("what can't be meant about dead letters is refused") {
    CHECK(problems("dead_letters: [{queue: a}, {queue: a}]").find("names a queue twice") != std::string::npos);
    CHECK(problems("dead_letters: [{queue: a, routing_key: a}]").find("leads back to the same queue") !=
          std::string::npos);
    CHECK(problems("dead_letters: [{queue: a, exchange: x, routing_key: a}]").empty());
    CHECK(problems("dead_letters: [{queue: a, rate: 0}]").find("1 to 100000") != std::string::npos);
    CHECK(problems("dead_letters: [{queue: a}]", {{"OUTBOX_BROKER_URLS", "log:"}}).find("log: is none") !=
          std::string::npos);
}
