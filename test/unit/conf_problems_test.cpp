#include "conf/load.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "conf_testing.hpp"

using conf_testing::load;
using conf_testing::problems;

TEST_CASE("an unknown key is named with its line and the nearest known one") {
    CHECK(problems("retry:\n  inital: 5s\n") == "file:2:3: retry.inital: unknown key; did you mean initial?");
    CHECK(problems("relais: {}") == "file:1:1: relais: unknown key; did you mean relay?");
    CHECK(problems("window: 5") == "file:1:1: window: unknown key; it is known as relay.window");
    CHECK(problems("retry: {routes: [{exchnage: x}]}") ==
          "file:1:19: retry.routes[0].exchnage: unknown key; did you mean exchange?");
    CHECK(problems("frobnicate: 1") == "file:1:1: frobnicate: unknown key");
}

TEST_CASE("an unknown variable or override is refused with the nearest known one") {
    CHECK(problems("", {{"OUTBOX_RETRY_INITAL", "5s"}}) ==
          "OUTBOX_RETRY_INITAL: names no setting that a variable can hold; did you mean OUTBOX_RETRY_INITIAL?");
    CHECK(problems("", {}, {"retry.inital=5s"}) ==
          "--set: \"retry.inital\" names no setting that can be given here; did you mean retry.initial?");
    CHECK(problems("", {}, {"retry.initial"}) == "--set: expected setting=value, found \"retry.initial\"");
    CHECK(problems("", {{"OUTBOX_RETRY_ROUTES", "[]"}}).find("names no setting") != std::string::npos);
    CHECK(problems("", {}, {"=x"}).starts_with("--set: \"\" names no setting"));
}

TEST_CASE("a wrong value is named with its place, its path and what is expected") {
    const struct {
        std::string yaml;
        std::string problem;
    } cases[] = {
        {"retry: {initial: 5}",
         "file:1:18: retry.initial: expected a duration with its unit, one of ms, s, m, h or d, "
         "such as 250ms, 5s or 30d, found \"5\""},
        {"retry: {strategy: linaer}",
         "file:1:19: retry.strategy: expected one of fixed, linear, exponential, random, found \"linaer\""},
        {"retry: {jitter: 1.5}", "file:1:17: retry.jitter: expected 0 to 1, found \"1.5\""},
        {"retry: {jitter: -0.1}", "file:1:17: retry.jitter: expected 0 to 1, found \"-0.1\""},
        {"retry: {jitter: .nan}", "file:1:17: retry.jitter: expected a number, found \".nan\""},
        {"retry: {jitter: nan}", "file:1:17: retry.jitter: expected a number, found \"nan\""},
        {"retry: {multiplier: 0.5}", "file:1:21: retry.multiplier: expected 1 to 1000, found \"0.5\""},
        {"retry: {max_retries: -1}",
         "file:1:22: retry.max_retries: expected a whole number from 0 to 4294967295, found \"-1\""},
        {"relay: {window: 0}", "file:1:17: relay.window: expected 1 to 60000, found \"0\""},
        {"relay: {window: 60001}", "file:1:17: relay.window: expected 1 to 60000, found \"60001\""},
        {"relay: {page_rows: 10001}", "file:1:20: relay.page_rows: expected 1 to 10000, found \"10001\""},
        {"relay: {settle_rows: 1001}", "file:1:22: relay.settle_rows: expected 1 to 1000, found \"1001\""},
        {"purge: {batch_rows: 5001}", "file:1:21: purge.batch_rows: expected 1 to 5000, found \"5001\""},
        {"broker: {heartbeat: 0}", "file:1:21: broker.heartbeat: expected 1s to 65535s, found \"0\""},
        {"purge: {delivered: 0}", "file:1:20: purge.delivered: expected 1m to 36500d, found \"0\""},
        {"database: {tls: {verify: yes}}", "file:1:26: database.tls.verify: expected true or false, found \"yes\""},
        {"relay: {window: [1]}", "file:1:17: relay.window: expected a single value, found a list"},
        {"relay: {window: {a: 1}}", "file:1:17: relay.window: expected a single value, found a map"},
        {"relay:\n  window:\n",
         "file:2:3: relay.window: expected a value (or leave the line out for the default), "
         "found nothing"},
        {"relay: [1]", "file:1:8: relay: expected a map (name: value), found a list"},
        {"relay: 5", "file:1:8: relay: expected a map (name: value), found a single value"},
        {"- relay", "file:1:1: expected a map (name: value), found a list"},
        {"relay", "file:1:1: expected a map (name: value), found a single value"},
        {"retry: {routes: {a: 1}}", "file:1:17: retry.routes: expected a list of maps, found a map"},
        {"retry: {routes: [a]}", "file:1:18: retry.routes[0]: expected a map (name: value), found a single value"},
        {"broker: {urls: amqp://h}", "file:1:16: broker.urls: expected a list [ … ], found a single value"},
        {"log: {level: \"a\\nb\"}",
         "file:1:14: log.level: expected one of trace, debug, info, warning, error, found \"a?b\""},
    };
    for (const auto& [yaml, problem] : cases) {
        CAPTURE(yaml);
        CHECK(problems(yaml) == problem);
    }
}

TEST_CASE("a key that is given twice is named with both lines") {
    CHECK(problems("relay:\n  window: 1\n  poll_min: 1ms\n  window: 2\n") ==
          "file:4:3: relay.window: is given twice, first in line 2");
    CHECK(problems("relay: {}\nrelay: {}\n") == "file:2:1: relay: is given twice, first in line 1");
}

TEST_CASE("all problems are reported at once: the file's in its order, then variables, then overrides") {
    try {
        conf::load_text("log: {level: loud}\nretry: {initial: x, wat: 1}\nrelay: {window: 0}\n", "f.yaml",
                        {{"OUTBOX_RELAY_POLL_MIN", "x"}, {"OUTBOX_NO", ""}}, {"purge.pause=x", "a=b"});
        FAIL("was accepted");
    } catch (const conf::invalid& e) {
        std::vector<std::string> places;
        for (const auto& p : e.problems()) places.push_back(p.where);
        CAPTURE(e.what());
        CHECK(places == std::vector<std::string>{"f.yaml", "f.yaml", "f.yaml:1:14", "f.yaml:2:18", "f.yaml:2:21",
                                                 "f.yaml:3:17", "OUTBOX_RELAY_POLL_MIN", "--set purge.pause",
                                                 "OUTBOX_NO", "--set"});
        CHECK(std::count(e.what(), e.what() + std::string_view{e.what()}.size(), '\n') + 1 == 10);
    }
}

TEST_CASE("values that don't go together are reported where the first of them stands") {
    CHECK(problems("relay:\n  poll_min: 2s\n  poll_max: 1s\n") ==
          "file:2:13: relay.poll_min: must not be longer than poll_max");
    CHECK(problems("relay: {poll_max: 1ms}") == "file:1:19: relay.poll_min: must not be longer than poll_max");
    CHECK(problems("", {{"OUTBOX_RELAY_POLL_MAX", "1ms"}}) ==
          "OUTBOX_RELAY_POLL_MAX: relay.poll_min: must not be longer than poll_max");
    CHECK(problems("broker: {reconnect_initial: 1m}").find("reconnect_max") != std::string::npos);
    CHECK(problems("retry: {initial: 2h}").find("max_interval") != std::string::npos);
    CHECK(problems("retry: {routes: [{max_interval: 1s}]}").starts_with("file:1:33: retry.routes[0].initial: "));
}

TEST_CASE("a value that is wrong in itself is not reported a second time for its company") {
    CHECK(problems("relay: {poll_min: x, poll_max: 1ms}").find("longer") == std::string::npos);
}

TEST_CASE("the urls are required, wherever they come from") {
    try {
        conf::load_text("database: {}\n", "f.yaml", {}, {});
        FAIL("was accepted");
    } catch (const conf::invalid& e) {
        REQUIRE(e.problems().size() == 2);
        CHECK(e.problems()[0].where == "f.yaml");
        CHECK(e.problems()[0].what.starts_with("broker.urls: at least one is required"));
        CHECK(e.problems()[1].where == "f.yaml:1:1");
        CHECK(e.problems()[1].what.starts_with("database.url: is required"));
    }
    CHECK_THROWS_WITH_AS(conf::load("", {}, {}), doctest::Contains("OUTBOX_DATABASE_URL: database.url: is required"),
                         conf::invalid);
    CHECK(problems("broker: {urls: []}") == "");
}

TEST_CASE("a url of the wrong kind is refused with the kinds that are accepted") {
    CHECK(problems("database: {url: oracle://h/d}") ==
          "file:1:17: database.url: the url's scheme must be one of mysql, mariadb, postgresql, postgres, sqlite");
    CHECK(problems("broker: {urls: [amqp://h, http://h]}") ==
          "file:1:27: broker.urls[1]: the url's scheme must be one of amqp, amqps, log");
    CHECK(problems("database: {url: 'mysql://h/d?ssl=true'}").find("?query") != std::string::npos);
    for (const std::string url : {"mysql://h", "mysql://h/", "mysql://h/a/b"})
        CHECK(problems("", {{"OUTBOX_DATABASE_URL", url}}).find("names no database") != std::string::npos);
}

TEST_CASE("a table's name is safe to put into SQL") {
    for (const std::string name : {"msg_log", "app.msg_log", "T$1", "_", "a.b"}) {
        CAPTURE(name);
        CHECK(load("", {}, {"database.table=" + name}).database.table == name);
    }
    for (const std::string name : {"", ".", "a.", ".a", "a.b.c", "a b", "a`b", "a;b", "a-b", "a'b", "ä", "a\nb"}) {
        CAPTURE(name);
        CHECK(problems("", {}, {"database.table=" + name}).find("letters, digits") != std::string::npos);
    }
    const std::string longest(64, 'a');
    CHECK(problems("", {}, {"database.table=" + longest + "." + longest}) == "");
    CHECK(problems("", {}, {"database.table=" + longest + "a"}) != "");
}
