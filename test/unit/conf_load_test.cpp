#include "conf/load.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "conf_testing.hpp"

using namespace std::chrono_literals;
using conf_testing::load;
using conf_testing::problems;

TEST_CASE("without anything said, the defaults hold") {
    conf::settings expected;
    expected.database.url = "mysql://u@h/d";
    expected.broker.urls = {"amqp://h"};
    CHECK(load("") == expected);
    CHECK(load("# nothing\n") == expected);
    CHECK(load("---\n...\n") == expected);
    CHECK(load("{}") == expected);
    CHECK(conf::load("", conf_testing::required(), {}) == expected);
}

TEST_CASE("what the file says is taken over, in every type") {
    const auto s = conf::load_text(R"(
database: {url: "mariadb://a@b/c", table: app.msg_log, tls: {mode: required, verify: false}}
broker: {urls: ["amqps://x", amqp://y/v], heartbeat: 30s, max_message_size: 16MiB}
relay: {window: 100, after_delivery: delete}
retry: {strategy: exponential, multiplier: 1.5, jitter: 1e-1}
purge: {delivered: never, failed: 90d, schedule: ""}
log: {level: warning, format: json}
)",
                                   "file", {}, {});
    CHECK(s.database.url == "mariadb://a@b/c");
    CHECK(s.database.table == "app.msg_log");
    CHECK(s.database.tls_use == conf::tls_mode::required);
    CHECK_FALSE(s.database.tls.verify);
    CHECK(s.broker.urls == std::vector<std::string>{"amqps://x", "amqp://y/v"});
    CHECK(s.broker.heartbeat == 30s);
    CHECK(s.broker.max_message_size.count == 16u << 20);
    CHECK(s.relay.window == 100);
    CHECK(s.relay.after_delivery == conf::after_delivery::remove);
    CHECK(s.retry.strategy == conf::retry_strategy::exponential);
    CHECK(s.retry.multiplier == 1.5);
    CHECK(s.retry.jitter == 0.1);
    CHECK_FALSE(s.purge.delivered.has_value());
    CHECK(s.purge.failed == 24h * 90);
    CHECK(s.purge.schedule.empty());
    CHECK(s.log.level == conf::log_level::warning);
    CHECK(s.log.format == conf::log_format::json);
}

TEST_CASE("an override beats a variable, which beats the file, which beats the default") {
    const auto yaml = "retry: {initial: 2s}";
    const conf::environment variable{{"OUTBOX_RETRY_INITIAL", "3s"}};
    CHECK(load("").retry.initial == 60s);
    CHECK(load(yaml).retry.initial == 2s);
    CHECK(load(yaml, variable).retry.initial == 3s);
    CHECK(load(yaml, variable, {"retry.initial=4s"}).retry.initial == 4s);
    CHECK(load(yaml, variable, {"retry.initial=4s", "retry.initial=5s"}).retry.initial == 5s);
}

TEST_CASE("a value that is beaten is checked all the same") {
    CHECK(problems("retry: {initial: soon}", {{"OUTBOX_RETRY_INITIAL", "3s"}}).starts_with("file:1:18: retry.initial"));
}

TEST_CASE("every setting can be set by its variable and by its path") {
    const auto names = conf::setting_names();
    CHECK(names.size() > 40);
    std::set<std::string> variables;
    for (const auto& [path, variable] : names) {
        CAPTURE(path);
        CHECK(variables.insert(variable).second);
        // A value that none can hold, so that only a known name leads to a complaint about its value.
        const std::string nonsense{"\0", 1};
        const auto may_be_any_text = [&](const auto& other) { return other.path == path + "_file"; };
        if (std::any_of(names.begin(), names.end(), may_be_any_text)) continue;
        CHECK(problems("", {{variable, nonsense}}).find(variable + ": " + path) != std::string::npos);
        CHECK(problems("", {}, {path + "=" + nonsense}).find("--set " + path + ": " + path) != std::string::npos);
    }
    CHECK(load("", {{"OUTBOX_BROKER_PASSWORD", "x"}}).broker.password.value == "x");
    CHECK(load("", {}, {"database.password=a=b"}).database.password.value == "a=b");
}

TEST_CASE("a list is written with commas in a variable") {
    const auto s = load("", {{"OUTBOX_BROKER_URLS", "amqp://a, amqps://b:1/v"}});
    CHECK(s.broker.urls == std::vector<std::string>{"amqp://a", "amqps://b:1/v"});
    CHECK(
        problems("", {{"OUTBOX_BROKER_URLS", "amqp://a,,amqp://b"}}).starts_with("OUTBOX_BROKER_URLS: broker.urls[1]"));
    CHECK(problems("", {{"OUTBOX_BROKER_URLS", ""}}).starts_with("OUTBOX_BROKER_URLS: broker.urls[0]"));
}

TEST_CASE("variables that are not ours are left alone") {
    CHECK(problems("", {{"HOME", "/"},
                        {"OUTBOX_TEST_DATABASE", "x"},
                        {"OUTBOX_CONFIG", "x"},
                        {"OUTBOX_SANITIZE", "x"},
                        {"OUTBOXY", "x"}}) == "");
}

TEST_CASE("the variables that Kubernetes makes of a Service called outbox are left alone") {
    CHECK(problems("", {{"OUTBOX_SERVICE_HOST", "10.0.0.1"},
                        {"OUTBOX_SERVICE_PORT", "80"},
                        {"OUTBOX_SERVICE_PORT_HTTP", "80"},
                        {"OUTBOX_PORT", "tcp://10.0.0.1:80"},
                        {"OUTBOX_PORT_80_TCP", "tcp://10.0.0.1:80"},
                        {"OUTBOX_PORT_53_UDP", "udp://10.0.0.1:53"},
                        {"OUTBOX_PORT_9_SCTP_PORT", "9"},
                        {"OUTBOX_PORT_80_TCP_PROTO", "tcp"},
                        {"OUTBOX_SIDECAR_PORT_80_TCP_ADDR", "10.0.0.1"},
                        {"OUTBOX_SIDECAR_SERVICE_HOST", "10.0.0.1"}}) == "");
    CHECK(problems("", {{"OUTBOX_PORT", "80"}}) != "");
}

TEST_CASE("an empty section is one whose lines are all commented out") {
    CHECK(problems("retry:\nrelay:\n  # window: 5\n") == "");
    CHECK(problems("retry:\n  routes:\ntopology:\n  queues:\n") == "");
}
