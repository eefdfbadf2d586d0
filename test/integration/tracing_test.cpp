// Spans of the program at work, as a collector of traces gets them.

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>

#include "test/support/environment.hpp"
#include "test/support/http_receiver.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using nlohmann::json;
using support::eventually;
using support::sidecar_process;

namespace {

support::variables traced_to(const support::table& on, const std::string& endpoint) {
    auto env = support::settings_for(on);
    env["OUTBOX_TRACING_ENDPOINT"] = endpoint;
    env["OUTBOX_TRACING_INTERVAL"] = "100ms";
    env["OUTBOX_TRACING_AUTHORIZATION"] = "Bearer of-traces";
    env["OUTBOX_RETRY_MAX_RETRIES"] = "0";
    return env;
}

/// The spans of all requests so far, by the message's id.
std::map<std::string, json> spans_of(const support::http_receiver& collector) {
    std::map<std::string, json> all;
    for (const auto& request : collector.received()) {
        const auto document = json::parse(request.body);
        for (const auto& span : document.at("/resourceSpans/0/scopeSpans/0/spans"_json_pointer)) {
            for (const auto& attribute : span.at("attributes")) {
                if (attribute.at("key") == "messaging.message.id") all[attribute.at("value").at("stringValue")] = span;
            }
        }
    }
    return all;
}

}  // namespace

TEST_SUITE("tracing") {
    TEST_CASE("each message has a span of its trace, and its traceparent arrives untouched") {
        support::scene here;
        support::http_receiver collector([](const auto&) { return support::answer_of(200, "{}"); });
        sidecar_process sidecar({}, traced_to(here.table, collector.url("/v1/traces")));
        const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        const std::string traceparent = "00-" + trace + "-00f067aa0ba902b7-01";
        here.server.execute("INSERT INTO " + here.table.name() + " (id, msg, exchange, routing_key, headers) VALUES " +
                            "('traced', 'x', '" + here.to.exchange() + "', 'k', '{\"traceparent\": \"" + traceparent +
                            "\"}'), ('lost', 'x', '', 'nobody-has-this-queue', NULL)");
        REQUIRE(eventually([&] { return spans_of(collector).size() == 2; }));
        const auto spans = spans_of(collector);
        CHECK(spans.at("traced").at("traceId") == trace);
        CHECK(spans.at("traced").at("parentSpanId") == "00f067aa0ba902b7");
        CHECK_FALSE(spans.at("traced").contains("status"));
        CHECK(spans.at("lost").at("status").at("code") == 2);
        CHECK_FALSE(spans.at("lost").contains("parentSpanId"));
        const auto request = collector.received().at(0);
        CHECK(request.method == "POST");
        CHECK(request.target == "/v1/traces");
        CHECK(request.fields.at("content-type") == "application/json");
        CHECK(request.fields.at("authorization") == "Bearer of-traces");
        const auto message = here.rabbit.get(here.to.queue());
        REQUIRE(message);
        CHECK(message->headers.at("traceparent") == traceparent);
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        CHECK(sidecar.err().find("of-traces") == std::string::npos);
    }

    TEST_CASE("a collector that hangs delays no message, and no stop by more than moments") {
        support::scene here;
        support::http_receiver collector([](const auto&) { return std::string(); });
        auto env = traced_to(here.table, collector.url());
        env["OUTBOX_TRACING_QUEUE_SPANS"] = "10";
        sidecar_process sidecar({}, env);
        support::insert(here.server, here.table, 500, here.to.exchange());
        CHECK(here.reaches(1, 500));
        REQUIRE(eventually([&] { return collector.connections() > 0; }));
        const auto told = std::chrono::steady_clock::now();
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        CHECK(std::chrono::steady_clock::now() - told < std::chrono::seconds(8));
    }

    TEST_CASE("spans wait for a collector that is away for a while") {
        support::scene here;
        std::atomic<int> asked{0};
        support::http_receiver collector([&](const auto&) { return support::answer_of(asked++ < 1 ? 503 : 200); });
        sidecar_process sidecar({}, traced_to(here.table, collector.url()));
        support::insert(here.server, here.table, 20, here.to.exchange());
        CHECK(sidecar.says("collector_down"));
        CHECK(sidecar.says("collector_up"));
        CHECK(eventually([&] { return spans_of(collector).size() == 20; }));
    }
}
