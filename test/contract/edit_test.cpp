// A failed message that an operator changes and sends again.
#include <doctest/doctest.h>

#include <array>
#include <future>
#include <nlohmann/json.hpp>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::new_row;
using contract::shape;
using contract::sweep;
using contract::table_view;
using nlohmann::json;
using outbox::edit_outcome;
using outbox::message_changes;
using strings = std::vector<std::string>;

const message_changes all_of_it{.exchange = "other",
                                .routing_key = "key.ü",
                                .headers = R"({"h": [1, "ü"]})",
                                .properties = R"({"priority": 3})",
                                .body = R"({"n": "😀"})"};

TEST_CASE("a failed message is changed and due now, with no tries spent and no error") {
    table_view table;
    table.insert({.id = "a", .next_try_time = table.now() + 3'600'000});
    table.insert({.id = "b", .status = 2});
    const auto store = table.open();
    REQUIRE(store->settle(std::array{failed("a", 4)}) == 1);
    const auto before = table.now();
    CHECK(store->edit("a", all_of_it) == edit_outcome::done);
    const auto now = store->show("a", 100);
    REQUIRE(now);
    CHECK(now->what.status == 0);
    CHECK(now->what.exchange == "other");
    CHECK(now->what.routing_key == "key.ü");
    CHECK(now->what.try_count == 0);
    CHECK_FALSE(now->what.last_error);
    CHECK(json::parse(now->headers.value()) == json::parse(*all_of_it.headers));
    CHECK(json::parse(now->properties.value()) == json::parse(*all_of_it.properties));
    CHECK(now->body == all_of_it.body);
    CHECK(now->what.next_try_time >= before);
    CHECK(now->what.update_time >= before);
    CHECK(sweep(*store, 10) == strings{"a"});
    CHECK(table.status_of("b") == 2);
    CHECK(store->settle(std::array{delivered("a")}) == 1);
}

TEST_CASE("what is not to be changed stays, and headers and properties can be taken away") {
    table_view table;
    table.insert({.id = "a", .status = 2, .msg = "body", .exchange = "ex", .routing_key = "key"});
    table.execute("UPDATE {} SET headers = '{\"h\": 1}', properties = '{\"priority\": 1}' WHERE id = 'a'");
    const auto store = table.open();
    CHECK(store->edit("a", {.routing_key = ""}) == edit_outcome::done);
    auto now = store->show("a", 100);
    CHECK(now->what.exchange == "ex");
    CHECK(now->what.routing_key.empty());
    CHECK(now->body == "body");
    CHECK(json::parse(now->headers.value()) == json{{"h", 1}});
    CHECK(json::parse(now->properties.value()) == json{{"priority", 1}});

    table.execute("UPDATE {} SET status = 2 WHERE id = 'a'");
    CHECK(store->edit("a", {.headers = "", .body = ""}) == edit_outcome::done);
    now = store->show("a", 100);
    CHECK_FALSE(now->headers);
    CHECK(now->properties);
    CHECK(now->body.empty());
    table.execute("UPDATE {} SET status = 2 WHERE id = 'a'");
    CHECK(store->edit("a", {}) == edit_outcome::done);
    CHECK(table.status_of("a") == 0);
}

TEST_CASE("only a failed message is changed, and of others it is said whether they are there") {
    for (const int status : {0, 1, 3, 4, -1}) {
        CAPTURE(status);
        table_view table;
        table.insert({.id = "a", .status = status});
        const auto store = table.open();
        CHECK(store->edit("a", all_of_it) == edit_outcome::not_failed);
        CHECK(table.status_of("a") == status);
        CHECK(table.of("a", "exchange") == "orders");
        CHECK(store->edit("b", all_of_it) == edit_outcome::gone);
    }
    table_view table;
    table.insert({.id = "a", .status = 2});
    const auto one = table.open();
    const auto other = table.open();
    auto theirs = std::async(std::launch::async, [&] { return other->edit("a", {.exchange = "theirs"}); });
    const auto ours = one->edit("a", {.exchange = "ours"});
    CHECK((ours == edit_outcome::done) != (theirs.get() == edit_outcome::done));
    CHECK(table.of("a", "exchange") == (ours == edit_outcome::done ? "ours" : "theirs"));
}

TEST_CASE("a body is changed byte for byte, as far as its column takes it") {
    std::string all_bytes;
    for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
    table_view bytes(shape::bytes);
    bytes.insert({.id = "a", .status = 2, .msg = "before"});
    auto store = bytes.open();
    CHECK(store->edit("a", {.body = all_bytes}) == edit_outcome::done);
    CHECK(store->show("a", 1'000)->body == all_bytes);

    table_view text;
    text.insert({.id = "a", .status = 2, .msg = "before"});
    store = text.open();
    CHECK_THROWS_AS(store->edit("a", {.body = all_bytes}), outbox::store_error);
    CHECK(text.status_of("a") == 2);
    CHECK(store->show("a", 1'000)->body == "before");
    const auto large = std::string(1'000'000, 'x') + "'\\ü😀";
    CHECK(store->edit("a", {.body = large}) == edit_outcome::done);
    CHECK((store->show("a", 2'000'000)->body == large));
}

TEST_CASE("what its column can't hold changes nothing, and is named") {
    const auto refused = [](table_view& table, const message_changes& changes, const std::string& column) {
        CAPTURE(column);
        const auto store = table.open();
        try {
            store->edit("a", changes);
            FAIL("was taken");
        } catch (const outbox::store_error& error) {
            CHECK_MESSAGE(std::string(error.what()).find(column) != std::string::npos, error.what());
        }
        CHECK(table.status_of("a") == 2);
        CHECK(table.of("a", "routing_key") == "created");
    };
    table_view table;
    table.insert({.id = "a", .status = 2});
    refused(table, {.exchange = std::string(256, 'x'), .routing_key = "new"}, "exchange");
    refused(table, {.exchange = "\xFF", .routing_key = "new"}, "exchange");
    table_view nine(shape::nine);
    nine.insert({.id = "a", .status = 2});
    refused(nine, {.routing_key = "new", .headers = "{}"}, "headers");
    refused(nine, {.routing_key = "new", .properties = "{}"}, "properties");
    CHECK(nine.open()->edit("a", {.exchange = "new", .body = "new"}) == edit_outcome::done);
    CHECK(nine.of("a", "exchange") == "new");
}

}  // namespace
