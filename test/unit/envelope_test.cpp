#include "relay/envelope.hpp"

#include <doctest/doctest.h>

#include "relay/utf8.hpp"

using nlohmann::json;
using namespace std::string_literals;

namespace {

outbox::message sample() {
    outbox::message row;
    row.id = "4f1c";
    row.body = R"({"total": 12.50})";
    row.exchange = "orders";
    row.routing_key = "order.created";
    row.try_count = 2;
    row.next_try_time = 1'767'225'600'000;
    row.create_time = 1'767'225'599'007;
    row.update_time = -5;
    return row;
}

std::string enveloped(const outbox::message& row) {
    const auto made = relay::row_envelope(row);
    REQUIRE(std::holds_alternative<std::string>(made));
    return std::get<std::string>(made);
}

json event_of(const outbox::message& row, const conf::message& settings, json headers = json::object()) {
    relay::add_cloud_event(row, settings, headers);
    return headers;
}

std::string time_of(outbox::epoch_ms create_time) {
    auto row = sample();
    row.create_time = create_time;
    return event_of(row, {}).value("cloudEvents_time", "none");
}

}  // namespace

TEST_CASE("the row envelope holds the row, its members in the promised order") {
    CHECK(enveloped(sample()) ==
          R"({"id":"4f1c","msg":"{\"total\": 12.50}","exchange":"orders","routingKey":"order.created","status":0,)"
          R"("tryCount":2,"nextTryTime":1767225600000,"createTime":1767225599007,"updateTime":-5})");
}

TEST_CASE("the row envelope says null for what the row has not") {
    CHECK(enveloped({}) == R"({"id":"","msg":"","exchange":"","routingKey":"","status":0,"tryCount":0,)"
                           R"("nextTryTime":null,"createTime":null,"updateTime":null})");
}

TEST_CASE("a body comes out of the row envelope as it went in") {
    for (const auto& body : {"quotes \" and \\ and \n"s, "nul \0 inside"s, "日本語 😀 \xEF\xBF\xBF"s,
                             std::string(100'000, '"'), "\x7F\x01\x1F"s, "</script>\xE2\x80\xA8"s}) {
        auto row = sample();
        row.body = body;
        CHECK(json::parse(enveloped(row)).at("msg") == body);
    }
}

TEST_CASE("the row envelope refuses what is not UTF-8 and names the way out") {
    auto row = sample();
    row.body = "\x89PNG";
    const auto made = relay::row_envelope(row);
    REQUIRE(std::holds_alternative<relay::impossible>(made));
    CHECK(std::get<relay::impossible>(made).reason ==
          "msg is not UTF-8 text, which the envelope `row` needs; use the envelope `none` for it");

    for (auto member : {&outbox::message::id, &outbox::message::exchange, &outbox::message::routing_key}) {
        auto other = sample();
        other.*member = "\xFF";
        CHECK(std::holds_alternative<relay::impossible>(relay::row_envelope(other)));
    }
}

TEST_CASE("a cloud event gets its attributes as headers") {
    conf::message settings;
    settings.cloudevents_source = "/shop";
    settings.cloudevents_type = "com.example.order";
    CHECK(event_of(sample(), settings) == json{{"cloudEvents_specversion", "1.0"},
                                               {"cloudEvents_id", "4f1c"},
                                               {"cloudEvents_source", "/shop"},
                                               {"cloudEvents_type", "com.example.order"},
                                               {"cloudEvents_time", "2025-12-31T23:59:59.007Z"}});
}

TEST_CASE("a cloud event's type falls back to the routing key, the exchange, and a word") {
    auto row = sample();
    CHECK(event_of(row, {})["cloudEvents_type"] == "order.created");
    row.routing_key.clear();
    CHECK(event_of(row, {})["cloudEvents_type"] == "orders");
    row.exchange.clear();
    CHECK(event_of(row, {})["cloudEvents_type"] == "message");
}

TEST_CASE("a cloud event has a time only where RFC 3339 can say it") {
    CHECK(time_of(0) == "1970-01-01T00:00:00.000Z");
    CHECK(time_of(951'782'400'000) == "2000-02-29T00:00:00.000Z");
    CHECK(time_of(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
    CHECK(time_of(253'402'300'800'000) == "none");
    CHECK(time_of(-1) == "none");
    auto row = sample();
    row.create_time.reset();
    CHECK_FALSE(event_of(row, {}).contains("cloudEvents_time"));
}

TEST_CASE("the row's own event headers win, and its separator is kept to") {
    const auto made = event_of(sample(), {}, {{"cloudEvents_type", "mine"}, {"traceparent", "00-ab"}});
    CHECK(made["cloudEvents_type"] == "mine");
    CHECK(made["traceparent"] == "00-ab");
    CHECK(made["cloudEvents_id"] == "4f1c");

    const auto colons = event_of(sample(), {}, {{"cloudEvents:type", "mine"}, {"zebra", 1}});
    CHECK(colons["cloudEvents:type"] == "mine");
    CHECK(colons["cloudEvents:id"] == "4f1c");
    CHECK_FALSE(colons.contains("cloudEvents_id"));
}

TEST_CASE("UTF-8 is taken as RFC 3629 defines it") {
    for (const auto& good : {""s, "\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
                             "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s}) {
        CHECK(relay::is_utf8(good));
        CHECK(relay::is_utf8("a" + good + "z"));
        CHECK(relay::first_character(good + "z") == (good.empty() ? 1 : good.size()));
    }
    for (const auto& bad : {"\x80"s, "\xBF"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC2"s, "\xC2\x41"s, "\xE0\x9F\xBF"s,
                            "\xE0\xA0"s, "\xED\xA0\x80"s, "\xEF\xBF\x41"s, "\xF0\x8F\xBF\xBF"s, "\xF0\x90\x80"s,
                            "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFF"s}) {
        CHECK_FALSE(relay::is_utf8(bad));
        CHECK_FALSE(relay::is_utf8("a" + bad));
        CHECK(relay::first_character(bad) == 0);
    }
    CHECK(relay::first_character("") == 0);
}
