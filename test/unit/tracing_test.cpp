#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "relay/compose.hpp"
#include "sidecar/otlp.hpp"
#include "sidecar/trace_context.hpp"
#include "sidecar/tracer.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using sidecar::parse_traceparent;

namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00f067aa0ba902b7";
const std::string sampled = "00-" + trace + "-" + parent + "-01";

relay::attempt sent(relay::outcome result, std::string traceparent = {}) {
    relay::delivery row{"id-1", "orders", "created", 0, 42};
    row.traceparent = std::move(traceparent);
    return {std::move(row), std::move(result), std::chrono::steady_clock::now() - 5ms};
}

conf::tracing switched_on() {
    conf::tracing settings;
    settings.endpoint = "http://localhost:4318/v1/traces";
    return settings;
}

/// A tracer, and what it drops.
struct traced {
    std::size_t dropped = 0;
    sidecar::tracer tracer{[this](std::size_t count) { dropped += count; }};
};

/// An exporter to a collector that answers as it is told.
struct exporting : traced {
    std::vector<json> received;
    std::vector<sidecar::span_exporter::answer> answers;  // the next one is the last; then 200
    std::vector<std::string> told;
    sidecar::span_exporter exporter;

    exporting()
        : exporter(
              tracer, switched_on(), {"shop", "host:1"},
              [this](const std::string& body) {
                  received.push_back(json::parse(body));
                  if (answers.empty()) return sidecar::span_exporter::answer{200, ""};
                  const auto next = answers.back();
                  answers.pop_back();
                  return next;
              },
              {[this](std::size_t spans) { told.push_back("delivered " + std::to_string(spans)); },
               [this](std::size_t spans, const std::string& why) {
                   told.push_back("refused " + std::to_string(spans) + ": " + why);
               },
               [this](const std::string& why) { told.push_back("down: " + why); }, [this] { told.push_back("up"); }}) {
        tracer.apply(switched_on());
    }
};

json attributes_of(const json& span) {
    json all;
    for (const auto& one : span.at("attributes")) all[one.at("key").get<std::string>()] = one.at("value");
    return all;
}

}  // namespace

TEST_SUITE_BEGIN("tracing");

TEST_CASE("a traceparent is taken apart") {
    const auto context = parse_traceparent(sampled);
    REQUIRE(context);
    CHECK(context->trace_id == trace);
    CHECK(context->parent_id == parent);
    CHECK(context->sampled);
    CHECK_FALSE(parse_traceparent("00-" + trace + "-" + parent + "-00")->sampled);
    CHECK_FALSE(parse_traceparent("00-" + trace + "-" + parent + "-02")->sampled);
    CHECK(parse_traceparent("00-" + trace + "-" + parent + "-0b")->sampled);
    CHECK(parse_traceparent("cc-" + trace + "-" + parent + "-01-what.comes.later"));
}

TEST_CASE("what is no traceparent is none") {
    for (const auto& text :
         {std::string(), std::string("00"), sampled + "-more", "ff" + sampled.substr(2),
          "00-" + std::string(32, '0') + "-" + parent + "-01", "00-" + trace + "-" + std::string(16, '0') + "-01",
          "00_" + sampled.substr(3), "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent + "-01",
          "cc" + sampled.substr(2) + "x", sampled.substr(0, 53) + "0g"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_traceparent(text));
    }
}

TEST_CASE("a delivery carries the traceparent only when somebody follows it") {
    const auto composed = [](bool traced, const std::string& headers) {
        outbox::message row;
        row.id = "a";
        row.headers = headers;
        auto made = relay::composer(conf::message{}, traced).compose(std::move(row), 0);
        return std::get<relay::outgoing>(std::move(made));
    };
    const auto headers = R"({"traceparent": ")" + sampled + R"("})";
    CHECK(composed(true, headers).row.traceparent == sampled);
    CHECK(composed(true, headers).headers.at("traceparent") == sampled);
    CHECK(composed(false, headers).row.traceparent.empty());
    CHECK(composed(true, R"({"traceparent": 7})").row.traceparent.empty());
    CHECK(composed(true, R"({"other": "x"})").row.traceparent.empty());
}

TEST_CASE("a span continues the message's trace, under the conventions' names") {
    exporting scene;
    scene.tracer.broker_up("amqp://broker.example:5672");
    scene.tracer.attempted(sent(relay::confirmed{}, sampled));
    CHECK(scene.exporter.run_once() == switched_on().interval);
    REQUIRE(scene.received.size() == 1);
    const auto& resource = scene.received[0].at("resourceSpans").at(0);
    CHECK(attributes_of(resource.at("resource")).at("service.name").at("stringValue") == "shop");
    CHECK(attributes_of(resource.at("resource")).at("service.instance.id").at("stringValue") == "host:1");
    const auto& span = resource.at("scopeSpans").at(0).at("spans").at(0);
    CHECK(span.at("traceId") == trace);
    CHECK(span.at("parentSpanId") == parent);
    CHECK(span.at("spanId").get<std::string>().size() == 16);
    CHECK(span.at("name") == "publish orders:created");
    CHECK(span.at("kind") == 4);
    CHECK_FALSE(span.contains("status"));
    const auto start = std::stoull(span.at("startTimeUnixNano").get<std::string>());
    const auto end = std::stoull(span.at("endTimeUnixNano").get<std::string>());
    CHECK(end - start >= 5'000'000);
    const auto attributes = attributes_of(span);
    CHECK(attributes.at("messaging.system").at("stringValue") == "rabbitmq");
    CHECK(attributes.at("messaging.operation.name").at("stringValue") == "publish");
    CHECK(attributes.at("messaging.operation.type").at("stringValue") == "send");
    CHECK(attributes.at("messaging.destination.name").at("stringValue") == "orders:created");
    CHECK(attributes.at("messaging.rabbitmq.destination.routing_key").at("stringValue") == "created");
    CHECK(attributes.at("messaging.message.id").at("stringValue") == "id-1");
    CHECK(attributes.at("messaging.message.body.size").at("intValue") == "42");
    CHECK(attributes.at("server.address").at("stringValue") == "broker.example");
    CHECK(attributes.at("server.port").at("intValue") == "5672");
    CHECK_FALSE(attributes.contains("error.type"));
}

TEST_CASE("an attempt that failed is an error with its outcome's name") {
    exporting scene;
    scene.tracer.attempted(sent(relay::returned{312, "NO_ROUTE"}, sampled));
    scene.exporter.run_once();
    const auto span = scene.received.at(0).at("/resourceSpans/0/scopeSpans/0/spans/0"_json_pointer);
    CHECK(span.at("status").at("code") == 2);
    CHECK(span.at("status").at("message") == "312 NO_ROUTE");
    CHECK(attributes_of(span).at("error.type").at("stringValue") == "returned");
}

TEST_CASE("an unsampled trace, what was not sent, and everything while tracing is off, make no span") {
    traced scene;
    scene.tracer.attempted(sent(relay::confirmed{}, sampled));
    CHECK(scene.tracer.take(10).empty());
    scene.tracer.apply(switched_on());
    scene.tracer.attempted(sent(relay::confirmed{}, "00-" + trace + "-" + parent + "-00"));
    auto never_sent = sent(relay::impossible{"too large"}, sampled);
    never_sent.sent_at.reset();
    scene.tracer.attempted(never_sent);
    CHECK(scene.tracer.take(10).empty());
    scene.tracer.attempted(sent(relay::confirmed{}, sampled));
    scene.tracer.apply(conf::tracing{});
    CHECK(scene.tracer.take(10).empty());
    CHECK(scene.dropped == 0);
}

TEST_CASE("messages without a trace get one of their own, as many as the ratio says") {
    traced scene;
    auto settings = switched_on();
    settings.ratio = 0.25;
    settings.queue_spans = 100'000;
    scene.tracer.apply(settings);
    const std::vector<relay::attempt> batch(10'000, sent(relay::confirmed{}));
    scene.tracer.attempted_all(batch);
    const auto spans = scene.tracer.take(100'000);
    CHECK(spans.size() > 2'200);
    CHECK(spans.size() < 2'800);
    CHECK(spans.at(0).trace_id.size() == 32);
    CHECK(spans.at(0).trace_id != spans.at(1).trace_id);
    CHECK(spans.at(0).parent_id.empty());
    settings.ratio = 0;
    scene.tracer.apply(settings);
    scene.tracer.attempted_all(batch);
    CHECK(scene.tracer.take(1).empty());
}

TEST_CASE("spans beyond the room are dropped and counted; the oldest stay") {
    traced scene;
    auto settings = switched_on();
    settings.queue_spans = 10;
    scene.tracer.apply(settings);
    scene.tracer.attempted_all(std::vector<relay::attempt>(25, sent(relay::confirmed{}, sampled)));
    CHECK(scene.dropped == 15);
    CHECK(scene.tracer.take(100).size() == 10);
}

TEST_CASE("a collector that is away gets the same batch later, and each change is told once") {
    exporting scene;
    scene.answers = {{503, ""}, {0, "nobody"}, {0, "nobody"}};
    scene.tracer.attempted(sent(relay::confirmed{}, sampled));
    CHECK(scene.exporter.run_once() == 1s);
    CHECK(scene.exporter.run_once() == 2s);
    CHECK(scene.exporter.run_once() == 4s);
    CHECK(scene.exporter.run_once() == switched_on().interval);
    CHECK(scene.received.size() == 4);
    CHECK(scene.received[0] == scene.received[3]);
    CHECK(scene.told == std::vector<std::string>{"down: nobody", "up", "delivered 1"});
}

TEST_CASE("a collector says when to come again") {
    exporting scene;
    scene.answers = {{429, "", 7s}};
    scene.tracer.attempted(sent(relay::confirmed{}, sampled));
    CHECK(scene.exporter.run_once() == 7s);
}

TEST_CASE("what a collector refuses is not sent again") {
    exporting scene;
    scene.answers = {{400, ""}};
    scene.tracer.attempted(sent(relay::confirmed{}, sampled));
    CHECK(scene.exporter.run_once() == switched_on().interval);
    CHECK(scene.received.size() == 1);
    CHECK(scene.told == std::vector<std::string>{"refused 1: HTTP 400"});
}

TEST_CASE("many spans go in several posts; text that is no UTF-8 does no harm") {
    exporting scene;
    auto odd = sent(relay::confirmed{}, sampled);
    odd.row.id = "\xff";
    scene.tracer.attempted_all(std::vector<relay::attempt>(1'000, odd));
    scene.exporter.run_once();
    CHECK(scene.received.size() == 2);
}

TEST_SUITE_END();
