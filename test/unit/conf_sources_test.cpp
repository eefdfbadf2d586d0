#include "conf/sources.hpp"

#include <doctest/doctest.h>

#include "conf/print.hpp"
#include "conf_testing.hpp"

using namespace std::chrono_literals;

namespace {

std::vector<conf::source> loaded(std::string_view yaml, const conf::environment& env = {},
                                 const std::vector<std::string>& overrides = {}) {
    return conf::load_sources_text(yaml, "file", env, overrides);
}

std::string problems(std::string_view yaml, const conf::environment& env = {},
                     const std::vector<std::string>& overrides = {}) {
    try {
        loaded(yaml, env, overrides);
        return {};
    } catch (const conf::invalid& error) {
        return error.what();
    }
}

const std::string two = R"(broker: {urls: ["amqp://h"]}
sources:
  - name: orders
    database: {url: "mysql://u@h/orders"}
  - name: billing
    database: {url: "postgresql://u@h/billing"}
)";

}  // namespace

TEST_CASE("without a list of sources there is one, which has no name") {
    for (const std::string list : {"", "\nsources: []", "\nsources:"}) {
        const auto all = loaded("database: {url: mysql://u@h/d}\nbroker: {urls: [amqp://h]}" + list);
        REQUIRE(all.size() == 1);
        CHECK(all[0].name.empty());
        CHECK(all[0].settings.database.url == "mysql://u@h/d");
    }
}

TEST_CASE("what stands at the top is the default of every source, and what a source says is its own alone") {
    const auto all = loaded(two + R"(    relay: {lanes: 4}
    broker: {heartbeat: 7s}
relay: {lanes: 2, window: 100}
http: {metrics: "127.0.0.1:9464"}
)");
    REQUIRE(all.size() == 2);
    CHECK(all[0].name == "orders");
    CHECK(all[0].settings.relay.lanes == 2);
    CHECK(all[1].settings.relay.lanes == 4);
    CHECK(all[1].settings.relay.window == 100);
    CHECK(all[0].settings.broker.heartbeat == 10s);
    CHECK(all[1].settings.broker.heartbeat == 7s);
    for (const auto& one : all) {
        CHECK(one.settings.broker.urls == std::vector<std::string>{"amqp://h"});
        CHECK(one.settings.http.metrics == "127.0.0.1:9464");
    }
}

TEST_CASE("variables and overrides mean the top: a source's own word goes before them") {
    const auto all = loaded(two + "    relay: {lanes: 4}\n", {{"OUTBOX_RELAY_LANES", "8"}}, {"relay.window=7"});
    CHECK(all[0].settings.relay.lanes == 8);
    CHECK(all[1].settings.relay.lanes == 4);
    CHECK(all[1].settings.relay.window == 7);
    CHECK(problems(two, {{"OUTBOX_SOURCES", "a"}}).find("names no setting") != std::string::npos);
}

TEST_CASE("a source's list stands instead of the one at the top, also an empty one") {
    const std::string top = "retry: {max_retries: 5, routes: [{exchange: a}, {exchange: b, max_retries: 1}]}\n";
    const auto inherited = loaded(two + "    retry: {max_retries: 9}\n" + top);
    REQUIRE(inherited[0].settings.retry_routes.size() == 2);
    CHECK(inherited[0].settings.retry_routes[0].retry.max_retries == 5);
    REQUIRE(inherited[1].settings.retry_routes.size() == 2);
    CHECK(inherited[1].settings.retry_routes[0].retry.max_retries == 9);  // what a route leaves out is the source's own
    CHECK(inherited[1].settings.retry_routes[1].retry.max_retries == 1);

    CHECK(loaded(two + "    retry: {routes: []}\n" + top)[1].settings.retry_routes.empty());
    const auto own = loaded(two + "    retry: {routes: [{exchange: c}]}\n" + top)[1].settings.retry_routes;
    REQUIRE(own.size() == 1);
    CHECK(own[0].exchange == "c");
}

TEST_CASE("a source's password, or its file, stands instead of the one at the top") {
    const conf_testing::scratch_folder scratch;
    const auto top_file = scratch.write("top", "from-top");
    const auto own_file = scratch.write("own", "from-own");
    const auto with = [&](const std::string& top, const std::string& own) {
        return loaded("broker: {urls: [\"amqp://h\"], " + top + "}\nsources:\n  - name: a\n    database: {url: " +
                      "\"mysql://u@h/d\"}\n    broker: {" + own + "}\n")[0]
            .settings.broker;
    };
    for (const auto& top : {std::string("password: from-top"), "password_file: '" + top_file + "'"}) {
        CHECK(with(top, "").password.value == "from-top");
        CHECK(with(top, "password: mine").password.value == "mine");
        CHECK(with(top, "password: mine").password_file.empty());
        CHECK(with(top, "password: \"\"").password.value.empty());
        CHECK(with(top, "password_file: '" + own_file + "'").password.value == "from-own");
    }
}

TEST_CASE("what is wrong with a source is told with its place") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {two + "    relay: {lanes: x}\n", "file:7:20: sources[1].relay.lanes: expected "},
        {two + "    relay: {lane: 1}\n", "file:7:13: sources[1].relay.lane: unknown key; did you mean lanes?"},
        {two + "    http: {probes: \"127.0.0.1:1\"}\n",
         "file:7:5: sources[1].http: belongs to the whole process: it stands at the top, for all"},
        {two + "    log: {}\n", "file:7:5: sources[1].log: belongs to the whole process"},
        {two + "    sources: []\n", "file:7:5: sources[1].sources: belongs to the whole process"},
        {two + "    nonsense: 1\n", "file:7:5: sources[1].nonsense: unknown key"},
        {two + "  - database: {url: \"mysql://h/x\"}\n", "file:7:5: sources[2].name: is required"},
        {two + "  - name: \"a b\"\n    database: {url: \"mysql://h/x\"}\n",
         "file:7:11: sources[2].name: expected 1 to 64 letters, digits, hyphens, underscores and dots, found \"a b\""},
        {two + "  - name: orders\n    database: {url: \"mysql://h/x\"}\n",
         "file:7:11: sources[2].name: is the name of another source, too"},
        {two + "  - name: c\n", "file:7:5: sources[2].database.url: is required"},
        {two + "  - 5\n", "file:7:5: sources[2]: expected a map (name: value), found a single value"},
        {"database: {url: mysql://h/d}\nbroker: {urls: [amqp://h]}\nsources: {a: 1}\n",
         "file:3:10: sources: expected a list of maps, found a map"},
    };
    for (const auto& [yaml, problem] : cases) {
        CAPTURE(yaml);
        CHECK(problems(yaml).substr(0, problem.size()) == problem);
    }
}

TEST_CASE("a fault at the top is told once, where it stands, however many sources take it over") {
    CHECK(problems(two + "relay: {lanes: 1000}\n") == "file:7:16: relay.lanes: expected 1 to 64, found \"1000\"");
    CHECK(problems(two + "retry: {routes: [{exchanges: a}]}\n") ==
          "file:7:19: retry.routes[0].exchanges: unknown key; did you mean exchange?");
    CHECK(problems(two + "    relay: {poll_min: 1ms}\nrelay: {poll_max: 1ms}\n") ==
          "file:8:19: relay.poll_min: must not be longer than poll_max (for sources[0])");
    CHECK(problems(two + "    relay: {poll_max: 1ms}\n") ==
          "file:7:23: sources[1].relay.poll_min: must not be longer than poll_max");
}

TEST_CASE("a table that two sources name is refused, in whatever words") {
    const auto with = [](const std::string& first, const std::string& second) {
        return problems("broker: {urls: [\"amqp://h\"]}\nsources:\n  - name: a\n    database: {" + first +
                        "}\n  - name: b\n    database: {" + second + "}\n");
    };
    const std::string refused = ": is the table of sources[0], too: each table is relayed once";
    CHECK(with("url: \"mysql://u@h/d\"", "url: \"mariadb://v:w@H:3306/d\"") ==
          "file:6:21: sources[1].database.table" + refused);
    CHECK(with("url: \"mysql://u@h/d\", table: t", "url: \"mysql://u@h/e\", table: d.t") ==
          "file:6:45: sources[1].database.table" + refused);
    CHECK(with("url: \"postgres://h/d\"", "url: \"postgresql://h:5432/d\"").find(refused) != std::string::npos);
    CHECK(with("url: \"sqlite:///f/d.db\"", "url: \"sqlite:///f/d.db\"").find(refused) != std::string::npos);
    CHECK(with("url: \"mysql://h/d\"", "url: \"mysql://h/d\", table: other") == "");
    CHECK(with("url: \"mysql://h/d\"", "url: \"mysql://i/d\"") == "");
    CHECK(problems("broker: {urls: [amqp://h]}\ndatabase: {url: mysql://h/d}\nsources: [{name: a}, {name: b}]\n") ==
          "file:3:22: sources[1].database.table" + refused);
}

TEST_CASE("tables of one database share its url at the top; a url there that no source uses is refused") {
    const std::string top = "broker: {urls: [amqp://h]}\ndatabase: {url: mysql://u@h/d}\n";
    const auto all = loaded(top + "sources: [{name: a, database: {table: x}}, {name: b, database: {table: y}}]\n");
    CHECK(all[0].settings.database.url == all[1].settings.database.url);
    CHECK(all[1].settings.database.table == "y");
    const std::string unused = "database.url: is the database of no source";
    CHECK(problems(two + "database: {url: mysql://u@h/other}\n").starts_with("file:7:17: " + unused));
    CHECK(problems(two, {{"OUTBOX_DATABASE_URL", "mysql://u@h/other"}}).starts_with("OUTBOX_DATABASE_URL: " + unused));
}

TEST_CASE("what several sources come to is printed, and loaded as the same") {
    const auto before = loaded(two + R"(    topology: {queues: [{name: q, arguments: {x: 1}}]}
retry: {routes: [{exchange: a}]}
http: {metrics: "127.0.0.1:9464"}
log: {level: error}
)");
    const auto printed = conf::print_yaml(before);
    CAPTURE(printed);
    CHECK(loaded(printed) == before);
    CHECK(loaded(conf::print_json(before)) == before);
    CHECK(conf::print_yaml(loaded("database: {url: mysql://u@h/d}\nbroker: {urls: [amqp://h]}")) ==
          conf::print_yaml(conf::load_text("database: {url: mysql://u@h/d}\nbroker: {urls: [amqp://h]}", "", {}, {})));
}

TEST_CASE("no secret of a source is printed") {
    const auto all = loaded(two +
                            "    webhook: {url: \"https://h\", key: hunter2}\n  - name: c\n    database: {url: "
                            "\"mysql://u:hunter2@h/c\"}\n    broker: {password: hunter2}\n");
    CHECK(conf::print_yaml(all).find("hunter2") == std::string::npos);
    CHECK(conf::print_json(all).find("hunter2") == std::string::npos);
}

TEST_CASE("there are at most 64 sources") {
    std::string yaml = "broker: {urls: [amqp://h]}\nsources:\n";
    for (int i = 0; i < 66; ++i)
        yaml += "  - {name: s" + std::to_string(i) + ", database: {url: mysql://h/d" + std::to_string(i) + "}}\n";
    CHECK(problems(yaml) == "file:67:5: sources: at most 64 are possible");
}

TEST_CASE("who expects one table refuses several") {
    CHECK_THROWS_WITH_AS(conf::load_text(two, "file", {}, {}), doctest::Contains("one table is expected"),
                         conf::invalid);
}
