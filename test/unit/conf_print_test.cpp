#include "conf/print.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "conf/load.hpp"
#include "conf_testing.hpp"

using namespace std::chrono_literals;
using conf_testing::load;

namespace {

/// Differs from the defaults wherever a printer could go wrong.
const char* const eventful = R"(
database: {url: "mariadb://us%40er@[::1]:99/d", table: a.b, tls: {mode: required}}
broker: {urls: ["amqp://a/%2Fv", "amqps://b"], heartbeat: 90s, max_message_size: 1000}
message: {content_type: "", app_id: "a: b # c", envelope: cloudevents, cloudevents_type: "true", cloudevents_source: "-"}
relay: {after_delivery: delete, drain_timeout: 0}
retry: {jitter: 0.1, multiplier: 3, max_interval: 1h, routes: [{exchange: "*", routing_key: "a.#", initial: 1500ms}]}
purge: {schedule: "", delivered: never, failed: 36h, time_zone: "~"}
topology:
  exchanges: [{name: "42", type: "null"}, {name: "on", arguments: {}}]
  queues: [{name: "a\nb\tc", arguments: {"1": [[], {}, [1, [2]], {a: {b: "x"}}], yes: "007", n: ~, t: "9", f: 1.0e300}}]
  bindings: [{exchange: "ü", queue: "🙂\u0001\x7f", routing_key: " x "}]
log: {level: error, format: json}
)";

}  // namespace

TEST_CASE("printed YAML is loaded as the same settings") {
    for (const std::string yaml : {eventful, "database: {url: 'mysql://u@h/d'}\nbroker: {urls: [amqp://h]}"}) {
        const auto before = conf::load_text(yaml, "file", {}, {});
        const auto printed = conf::print_yaml(before);
        CAPTURE(printed);
        const auto after = conf::load_text(printed, "printed", {}, {});
        CHECK(after == before);
        CHECK(conf::print_yaml(after) == printed);
    }
}

TEST_CASE("printed JSON is loaded as the same settings, being YAML") {
    const auto before = conf::load_text(eventful, "file", {}, {});
    CHECK(conf::load_text(conf::print_json(before), "printed", {}, {}) == before);
}

TEST_CASE("printed values are spelled as people write them") {
    const auto printed = conf::print_yaml(load("retry: {initial: 90000ms}\nrelay: {window_bytes: 65536}"));
    for (const std::string line :
         {"  initial: 90s\n", "  window_bytes: 64KiB\n", "  failed: never\n", "  delivered: 30d\n", "  window: 4000\n",
          "  strategy: linear\n", "    verify: true\n", "  content_type: application/json\n", "  routes: []\n",
          "    mode: \"off\"\n", "  schedule: \"17 3 * * *\"\n"}) {
        CAPTURE(line);
        CHECK(printed.find('\n' + line) != std::string::npos);
    }
    const auto json =
        nlohmann::json::parse(conf::print_json(load("topology: {queues: [{name: q, arguments: {a: 1}}]}")));
    CHECK(json["retry"]["initial"] == "1m");
    CHECK(json["relay"]["window"] == 4000);
    CHECK(json["database"]["tls"]["verify"] == true);
    CHECK(json["topology"]["queues"][0]["arguments"]["a"] == 1);
}

TEST_CASE("a text that another reader of YAML takes for something else is printed in quotes") {
    for (const std::string text :
         {"yes",        "No",    "on", "y", "true", "NULL", "~",    "12", "1_000", "0x1f", "0o17", "1e3",
          "2026-01-01", "12:30", "-",  "*", "&a",   "a: b", "a #b", "@x", "%x",    " a",   ""}) {
        conf::settings s;
        s.message.app_id = text;
        CAPTURE(text);
        CHECK(conf::print_yaml(s).find("  app_id: \"" + text + "\"\n") != std::string::npos);
    }
}

TEST_CASE("no secret is printed, wherever it came from") {
    const conf_testing::scratch_folder scratch;
    const auto file = scratch.write("password", "hunter2");
    const auto in_urls =
        load("", {{"OUTBOX_DATABASE_URL", "mysql://u:hunter2@h/d"}, {"OUTBOX_BROKER_URLS", "amqp://u:hunter2@h"}});
    const auto in_settings = load("database: {password: hunter2}\nbroker: {password: hunter2}");
    const auto in_files = load("", {{"OUTBOX_DATABASE_PASSWORD_FILE", file}, {"OUTBOX_BROKER_PASSWORD_FILE", file}});
    for (const auto* s : {&in_urls, &in_settings, &in_files}) {
        CHECK(conf::print_yaml(*s).find("hunter2") == std::string::npos);
        CHECK(conf::print_json(*s).find("hunter2") == std::string::npos);
    }
    CHECK(conf::print_yaml(in_urls).find("url: \"mysql://u:***@h/d\"") != std::string::npos);
    CHECK(conf::print_yaml(in_settings).find("password: \"***\"") != std::string::npos);
    CHECK(conf::load_text(conf::print_yaml(in_files), "printed", {}, {}) == in_files);
    CHECK_NOTHROW(conf::load_text(conf::print_yaml(in_urls), "printed", {}, {}));
    CHECK_NOTHROW(conf::load_text(conf::print_yaml(in_settings), "printed", {}, {}));
}

TEST_CASE("settings that were filled in by hand can be printed, even if wrong") {
    conf::settings s;
    s.message.app_id = "\xff\xfe";
    s.topology.queues.push_back({.name = "q", .arguments = {{"a", "no json"}}});
    CHECK_NOTHROW(conf::print_yaml(s));
    CHECK_NOTHROW(conf::print_json(s));
}
