// What an operator does to messages by hand: looks at one, puts it back, deletes it.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <future>
#include <nlohmann/json.hpp>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::sweep;
using contract::table_view;
using nlohmann::json;
using strings = std::vector<std::string>;

TEST_CASE("the clock is the database's") {
    table_view table;
    const auto store = table.open();
    const auto before = table.now();
    const auto time = store->clock();
    CHECK(time >= before);
    CHECK(time <= table.now());
}

TEST_CASE("a message is shown with all that its row says") {
    table_view table;
    table.insert(new_row{.id = "a",
                         .status = 2,
                         .next_try_time = 5,
                         .msg = R"({"n":1})",
                         .exchange = "ex",
                         .routing_key = "key",
                         .try_count = 4,
                         .create_time = 6,
                         .update_time = 7});
    table.execute(
        "UPDATE {} SET order_key = 'o', last_error = 'why', headers = '{\"h\": [1, null]}', "
        "properties = '{\"priority\": 3}' WHERE id = 'a'");
    const auto store = table.open();
    const auto shown = store->show("a", 100);
    REQUIRE(shown);
    CHECK(shown->what == outbox::summary{"a", 2, "ex", "key", 4, 5, 6, 7, "o", "why", 7});
    CHECK(shown->body == R"({"n":1})");
    CHECK(json::parse(shown->headers.value()) == json::parse(R"({"h": [1, null]})"));
    CHECK(json::parse(shown->properties.value()) == json::parse(R"({"priority": 3})"));
    CHECK_FALSE(store->show("b", 100));
}

TEST_CASE("a message of a table with nine columns, and of a status that nobody knows, is shown") {
    table_view table(shape::nine);
    table.insert(new_row{.id = "a", .status = 42, .next_try_time = {}, .create_time = {}, .update_time = {}});
    const auto shown = table.open()->show("a", 100);
    REQUIRE(shown);
    CHECK(shown->what == outbox::summary{"a", 42, "orders", "created", 0, {}, {}, {}, {}, {}, 2});
    CHECK_FALSE(shown->headers);
    CHECK_FALSE(shown->properties);
}

TEST_CASE("of a body are shown as many bytes as were asked for, and its whole size") {
    std::string all_bytes;
    for (int i = 0; i < 1'024; ++i) all_bytes += static_cast<char>(i % 256);
    const std::array<std::pair<shape, std::string>, 4> cases{{{shape::bytes, all_bytes},
                                                              {shape::recommended, "äöü😀漢字 and more"},
                                                              {shape::recommended, ""},
                                                              {shape::recommended, std::string(300'000, 'x')}}};
    for (const auto& [of, body] : cases) {
        table_view table(of);
        table.insert({.id = "a", .msg = body});
        const auto store = table.open();
        for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{10},
                                       std::size_t{1'000'000}, std::numeric_limits<std::size_t>::max()}) {
            CAPTURE(size);
            const auto shown = store->show("a", size);
            REQUIRE(shown);
            CHECK(shown->body == body.substr(0, size));
            CHECK(shown->what.body_size == body.size());
        }
    }
}

TEST_CASE("a message is put back or deleted only from the statuses that this is meant for") {
    using call = std::function<std::size_t(outbox::store&, std::span<const std::string>)>;
    struct change {
        call how;
        std::map<int, std::optional<int>> to;  // from status; nullopt: the row is gone. Others are left alone
    };
    const std::array<change, 4> changes{
        change{[](outbox::store& s, auto ids) { return s.retry(ids, false); }, {{2, 0}}},
        change{[](outbox::store& s, auto ids) { return s.retry(ids, true); }, {{1, 0}, {2, 0}}},
        change{[](outbox::store& s, auto ids) { return s.remove(ids, false); },
               {{1, {}}, {2, {}}, {3, {}}, {4, {}}, {-1, {}}, {99, {}}}},
        change{[](outbox::store& s, auto ids) { return s.remove(ids, true); },
               {{0, {}}, {1, {}}, {2, {}}, {3, {}}, {4, {}}, {-1, {}}, {99, {}}}}};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        for (const int from : {0, 1, 2, 3, 4, -1, 99}) {
            CAPTURE(i);
            CAPTURE(from);
            table_view table;
            table.insert({.id = "a", .status = from, .next_try_time = 7, .try_count = 4});
            table.insert({.id = "b", .status = from});
            const auto to = changes[i].to.find(from);
            const bool changes_it = to != changes[i].to.end();
            CHECK(changes[i].how(*table.open(), std::array<std::string, 1>{"a"}) == (changes_it ? 1 : 0));
            if (!changes_it) {
                CHECK(table.status_of("a") == from);
                CHECK(table.of("a", "try_count") == "4");
                CHECK(table.of("a", "next_try_time") == "7");
                CHECK(table.of("a", "update_time") == "1");
            } else if (to->second) {
                CHECK(table.status_of("a") == *to->second);
            } else {
                CHECK(table.number("SELECT COUNT(*) FROM {} WHERE id = 'a'") == 0);
            }
            CHECK(table.status_of("b") == from);
        }
    }
}

TEST_CASE("a message that is put back is due now, with no tries spent and no error, and is settled like any other") {
    for (const auto of : {shape::recommended, shape::nine, shape::narrow}) {
        table_view table(of);
        table.insert({.id = "a", .next_try_time = table.now() + 3'600'000});
        const auto store = table.open();
        REQUIRE(store->settle(std::array{failed("a", 4)}) == 1);
        const auto before = table.now();
        CHECK(store->retry(std::array<std::string, 1>{"a"}, false) == 1);
        CHECK(table.of("a", "try_count") == "0");
        CHECK(std::stoll(table.of("a", "next_try_time")) >= before);
        CHECK(std::stoll(table.of("a", "next_try_time")) <= table.now());
        CHECK(table.of("a", "update_time") == table.of("a", "next_try_time"));
        if (of != shape::nine) CHECK(table.of("a", "last_error") == "NULL");
        CHECK(sweep(*store, 10) == strings{"a"});
        CHECK(store->settle(std::array{delivered("a")}) == 1);
    }
}

TEST_CASE("many messages are changed by one call, whatever their ids, each counted once") {
    auto ids = numbered(1'500);
    std::vector<new_row> rows;
    for (const auto& id : ids) rows.push_back({.id = id, .status = 2});
    for (const char* hostile : {"", "'", "%", "a\\' OR 1=1 -- ", "😀", " x"}) {
        ids.emplace_back(hostile);
        rows.push_back({.id = hostile, .status = 2});
    }
    rows.push_back({.id = "left alone", .status = 2});
    table_view table;
    table.insert(rows);
    const auto store = table.open();
    auto asked = ids;
    asked.insert(asked.end(), {"never existed", ids[0], ids[1]});
    CHECK(store->retry(asked, false) == ids.size());
    CHECK(store->retry(asked, false) == 0);
    CHECK(table.number("SELECT COUNT(*) FROM {} WHERE status = 0") == static_cast<std::int64_t>(ids.size()));
    CHECK(store->remove(asked, false) == 0);
    CHECK(store->remove(asked, true) == ids.size());
    CHECK(table.number("SELECT COUNT(*) FROM {}") == 1);
    CHECK(store->retry(strings{}, true) == 0);
    CHECK(store->remove(strings{}, true) == 0);
}

TEST_CASE("of two operators who put the same messages back at once, each message is put back by one") {
    const auto ids = numbered(300);
    std::vector<new_row> rows;
    for (const auto& id : ids) rows.push_back({.id = id, .status = 2});
    table_view table;
    table.insert(rows);
    const auto one = table.open();
    const auto other = table.open();
    auto reversed = ids;
    std::reverse(reversed.begin(), reversed.end());
    auto theirs = std::async(std::launch::async, [&] { return other->retry(reversed, false); });
    const auto ours = one->retry(ids, false);
    CHECK(ours + theirs.get() == ids.size());
}

TEST_CASE("a receipt that comes first is not undone by a retry, nor a message put back deleted as a failed one") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a", .status = 1}, {.id = "b", .status = 2}});
    const auto store = table.open();
    REQUIRE(store->list({}, std::nullopt, 10).rows.size() == 2);
    table.execute("UPDATE {} SET status = 3 WHERE id = 'a'");
    table.execute("UPDATE {} SET status = 0 WHERE id = 'b'");
    CHECK(store->retry(strings{"a", "b"}, true) == 0);
    CHECK(store->remove(strings{"b"}, false) == 0);
    CHECK(table.statuses() == "3 0");
}

}  // namespace
