// The properties of a message, as a consumer sees them.

#include <doctest/doctest.h>

#include "test/integration/rows.hpp"

using rows::put;

namespace {

support::received with_properties(const std::string& text) {
    support::scene here;
    put(here, "a", {{"properties", support::utf8(text)}});
    return rows::only(here);
}

}  // namespace

TEST_SUITE("sent") {
    TEST_CASE("a plain row is a persistent message with an id, a time, a content type and an app id, and no more") {
        support::scene here;
        put(here, "order-1", {{"create_time", "1700000000999"}});
        const auto message = rows::only(here);
        CHECK(message.delivery_mode == 2);
        CHECK(message.id == "order-1");
        CHECK(message.timestamp == 1700000000);  // seconds, of create_time
        CHECK(message.content_type == "application/json");
        CHECK(message.app_id == "outbox-sidecar");
        CHECK(message.exchange == here.to.exchange());
        CHECK(message.routing_key == "key");
        CHECK_FALSE(message.redelivered);
        CHECK(message.headers.empty());
        CHECK_FALSE(message.priority);
        for (const auto& text :
             {message.content_encoding, message.correlation_id, message.reply_to, message.expiration, message.type})
            CHECK(text.empty());
    }

    TEST_CASE("a row without a time of creation, or with a negative one, is sent without a timestamp") {
        support::scene here;
        put(here, "a", {{"create_time", "NULL"}});
        put(here, "b", {{"create_time", "-5"}});
        const auto messages = rows::relayed(here, 2);
        CHECK(messages.size() == 2);
        for (const auto& one : messages) CHECK_FALSE(one.timestamp);
    }

    TEST_CASE("every property of the row arrives") {
        const auto message = with_properties(
            R"({"content_type": "text/plain; charset=utf-8", "content_encoding": "identity", "correlation_id": "c-ü",
                "reply_to": "replies", "expiration": 3600000, "priority": 9, "type": "order.created",
                "app_id": "shop", "delivery_mode": 1})");
        CHECK(message.content_type == "text/plain; charset=utf-8");
        CHECK(message.content_encoding == "identity");
        CHECK(message.correlation_id == "c-ü");
        CHECK(message.reply_to == "replies");
        CHECK(message.expiration == "3600000");
        CHECK(message.priority == 9);
        CHECK(message.type == "order.created");
        CHECK(message.app_id == "shop");
        CHECK(message.delivery_mode == 1);
        CHECK(message.id == "a");
    }

    TEST_CASE("one property leaves the defaults of the others") {
        const auto message = with_properties(R"({"priority": 0, "type": null, "expiration": "60000"})");
        CHECK(message.priority == 0);
        CHECK(message.type.empty());
        CHECK(message.expiration == "60000");
        CHECK(message.content_type == "application/json");
        CHECK(message.app_id == "outbox-sidecar");
        CHECK(message.delivery_mode == 2);
    }

    TEST_CASE("content type and app id default to what the settings say") {
        support::scene here;
        put(here, "a");
        const auto message = rows::only(here, [](conf::settings& s) {
            s.message.content_type = "application/vnd.shop+json";
            s.message.app_id = "shop-outbox";
        });
        CHECK(message.content_type == "application/vnd.shop+json");
        CHECK(message.app_id == "shop-outbox");
    }

    TEST_CASE("a priority has its effect in a queue of priorities") {
        support::scene here;
        here.rabbit.delete_queue(here.to.queue());
        here.rabbit.declare_queue(here.to.queue(), {{"x-max-priority", 10}});
        here.rabbit.bind(here.to.queue(), here.to.exchange(), "#");
        put(here, "a", {{"properties", "'{\"priority\": 1}'"}});
        put(here, "b", {{"properties", "'{\"priority\": 8}'"}});
        const auto messages = rows::relayed(here, 2);
        REQUIRE(messages.size() == 2);
        CHECK(messages.front().id == "b");
    }

    TEST_CASE("the default exchange leads to the queue of the key's name") {
        support::scene here;
        put(here, "a", {{"exchange", "''"}, {"routing_key", support::utf8(here.to.queue())}});
        const auto message = rows::only(here);
        CHECK(message.exchange.empty());
        CHECK(message.routing_key == here.to.queue());
    }
}
