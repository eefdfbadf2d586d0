// What surrounds the body.

#include <doctest/doctest.h>

#include "test/integration/rows.hpp"

using nlohmann::json;
using rows::put;

namespace {

// Of a row with everything, whose times are known.
support::received enveloped(conf::envelope how, const rows::columns& others = {},
                            const std::function<void(conf::message&)>& change = {}) {
    support::scene here;
    rows::columns all{{"msg", support::utf8("{\"total\": 12.50, \"name\": \"ü \\\"quoted\\\" 😀\"}")},
                      {"routing_key", "'order.created'"},
                      {"try_count", "2"},
                      {"next_try_time", "1700000003000"},
                      {"create_time", "1700000001234"},
                      {"update_time", "1700000002000"},
                      {"headers", "'{\"traceparent\": \"00-ab-cd-01\"}'"}};
    for (const auto& [name, value] : others) all[name] = value;
    put(here, "order-1", all);
    return rows::only(here, [&](conf::settings& s) {
        s.message.envelope = how;
        if (change) change(s.message);
    });
}

const std::string body = "{\"total\": 12.50, \"name\": \"ü \\\"quoted\\\" 😀\"}";

}  // namespace

TEST_SUITE("sent") {
    TEST_CASE("without an envelope, the body is as stored, byte for byte") {
        const auto message = enveloped(conf::envelope::none);
        CHECK(message.body == body);
        CHECK(message.headers == json{{"traceparent", "00-ab-cd-01"}});
    }

    TEST_CASE("the envelope `row` is the whole row as JSON, by the names that Java consumers know, msg as a text") {
        const auto message = enveloped(conf::envelope::row);
        const auto row = json::parse(message.body);
        CHECK(row.size() == 9);
        CHECK(row["id"] == "order-1");
        CHECK(row["msg"] == body);
        CHECK(row["exchange"] == message.exchange);
        CHECK(row["routingKey"] == "order.created");
        CHECK(row["status"] == 0);
        CHECK(row["tryCount"] == 2);
        CHECK(row["nextTryTime"] == 1700000003000);
        CHECK(row["createTime"] == 1700000001234);
        CHECK(row["updateTime"] == 1700000002000);
        CHECK(message.content_type == "application/json");
        CHECK(message.headers == json{{"traceparent", "00-ab-cd-01"}});
        CHECK(message.id == "order-1");
    }

    TEST_CASE("times that a row does not have are null in the envelope `row`") {
        const auto message = enveloped(conf::envelope::row,
                                       {{"next_try_time", "NULL"}, {"create_time", "NULL"}, {"update_time", "NULL"}});
        const auto row = json::parse(message.body);
        CHECK(row.size() == 9);
        for (const char* name : {"nextTryTime", "createTime", "updateTime"}) CHECK(row[name].is_null());
    }

    TEST_CASE("the envelope `cloudevents` adds the attributes as headers and leaves the body") {
        const auto message = enveloped(conf::envelope::cloudevents);
        CHECK(message.body == body);
        const json expected = {{"traceparent", "00-ab-cd-01"},        {"cloudEvents_specversion", "1.0"},
                               {"cloudEvents_id", "order-1"},         {"cloudEvents_source", "/outbox"},
                               {"cloudEvents_type", "order.created"}, {"cloudEvents_time", "2023-11-14T22:13:21.234Z"}};
        CHECK(message.headers == expected);
        CHECK(message.header_kinds == "SSSSSS");
        CHECK(message.content_type == "application/json");
    }

    TEST_CASE("source and type of a cloud event are the settings', and the row's own attributes win") {
        const auto message = enveloped(
            conf::envelope::cloudevents,
            {{"headers", "'{\"cloudEvents_subject\": \"s\", \"cloudEvents_type\": \"own\"}'"}}, [](conf::message& m) {
                m.cloudevents_source = "/shop/orders";
                m.cloudevents_type = "com.example.order";
            });
        CHECK(message.headers["cloudEvents_source"] == "/shop/orders");
        CHECK(message.headers["cloudEvents_type"] == "own");
        CHECK(message.headers["cloudEvents_subject"] == "s");
    }
}
