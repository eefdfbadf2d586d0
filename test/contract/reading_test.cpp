#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::sweep;
using contract::table_view;
using strings = std::vector<std::string>;

TEST_CASE("rows without a time come first, then by time, then by id") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "b", .next_try_time = 20},
                                      {.id = "c", .next_try_time = 10},
                                      {.id = "a", .next_try_time = 20},
                                      {.id = "z", .next_try_time = std::nullopt},
                                      {.id = "y", .next_try_time = std::nullopt},
                                      {.id = "d", .next_try_time = 0},
                                      {.id = "e", .next_try_time = -5}});
    const auto store = table.open();
    for (const std::size_t limit : {1, 2, 3, 100}) {
        CAPTURE(limit);
        CHECK(sweep(*store, limit) == strings{"y", "z", "e", "d", "c", "a", "b"});
    }
}

TEST_CASE("a row is read with all that it has") {
    table_view table;
    table.insert({.id = "one",
                  .next_try_time = 7,
                  .msg = "{\"x\": 1}",
                  .exchange = "shop",
                  .routing_key = "order.created",
                  .try_count = 2,
                  .create_time = 5,
                  .update_time = 6});
    table.execute("UPDATE {} SET headers = '{\"a\": 1}', properties = '{\"type\": \"t\"}', order_key = 'k'");

    const auto page = table.open()->due({}, 10);
    REQUIRE(page.rows.size() == 1);
    const auto& row = page.rows.front();
    CHECK(row.id == "one");
    CHECK(row.body == "{\"x\": 1}");
    CHECK(row.body_size == 8);
    CHECK_FALSE(row.body_left_out);
    CHECK(row.exchange == "shop");
    CHECK(row.routing_key == "order.created");
    CHECK(row.try_count == 2);
    CHECK(row.next_try_time == 7);
    CHECK(row.create_time == 5);
    CHECK(row.update_time == 6);
    CHECK(row.headers == "{\"a\": 1}");
    CHECK(row.properties == "{\"type\": \"t\"}");
    CHECK(row.order_key == "k");
    CHECK(page.complete);
}

TEST_CASE("the nine columns are enough, and what is missing reads as nothing") {
    table_view table(shape::nine);
    table.insert(
        {.id = "one", .next_try_time = std::nullopt, .create_time = std::nullopt, .update_time = std::nullopt});
    table.execute("UPDATE {} SET msg = NULL");
    const auto page = table.open()->due({}, 10);
    REQUIRE(page.rows.size() == 1);
    const auto& row = page.rows.front();
    CHECK(row.body.empty());
    CHECK(row.body_size == 0);
    CHECK_FALSE(row.body_left_out);
    CHECK_FALSE(row.next_try_time);
    CHECK_FALSE(row.create_time);
    CHECK_FALSE(row.update_time);
    CHECK_FALSE(row.headers);
    CHECK_FALSE(row.properties);
    CHECK_FALSE(row.order_key);
}

TEST_CASE("the shortest INSERT that the contract allows makes a row that is due at once, with an id of its own") {
    table_view table;
    const auto before = table.now();
    table.execute("INSERT INTO {} (msg, exchange, routing_key) VALUES ('{\"n\": 1}', 'orders', 'created')");
    table.execute("INSERT INTO {} (msg, exchange, routing_key) VALUES ('{\"n\": 2}', 'orders', 'created')");
    const auto page = table.open()->due({}, 10);
    const auto after = table.now();
    REQUIRE(page.rows.size() == 2);
    CHECK(page.rows[0].id != page.rows[1].id);
    for (const auto& row : page.rows) {
        CHECK(row.id.size() == 36);
        CHECK(row.next_try_time.value() >= before);
        CHECK(row.next_try_time.value() <= after);
        CHECK(row.create_time == row.next_try_time);
        CHECK(row.update_time == row.next_try_time);
    }
}

TEST_CASE("a row is not read before its time by the database's clock, and is read then") {
    table_view table;
    table.insert({.id = "soon", .next_try_time = table.now() + 300});
    table.insert({.id = "much later", .next_try_time = table.now() + 3'600'000});
    const auto store = table.open();
    outbox::page page;
    bool early = false;
    do {
        page = store->due({}, 10);
        const auto now = table.now();  // later than what the store saw
        early = early || (!page.rows.empty() && now < page.rows.front().next_try_time);
    } while (page.rows.empty());
    CHECK_FALSE(early);
    REQUIRE(page.rows.size() == 1);
    CHECK(page.rows.front().id == "soon");
}

TEST_CASE("other statuses, and those that nobody knows, are never read") {
    table_view table;
    for (const int status : {1, 2, 3, 4, 99, -1, 127})
        table.insert({.id = "s" + std::to_string(status), .status = status, .next_try_time = std::nullopt});
    table.insert({.id = "s0", .next_try_time = std::nullopt});
    CHECK(sweep(*table.open(), 2) == strings{"s0"});
}

TEST_CASE("an empty table is one complete page that says what time it is") {
    table_view table;
    const auto before = table.now();
    const auto page = table.open()->due({}, 10);
    CHECK(page.rows.empty());
    CHECK(page.complete);
    REQUIRE(page.now);
    CHECK(*page.now >= before);
    CHECK(*page.now <= table.now());
}

TEST_CASE("a full page that happens to be the last is followed by an empty one") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}});
    const auto store = table.open();
    const auto first = store->due({}, 2);
    CHECK(first.rows.size() == 2);
    CHECK_FALSE(first.complete);
    const auto second = store->due(first.next, 2);
    CHECK(second.rows.empty());
    CHECK(second.complete);
    CHECK(second.next == first.next);
}

TEST_CASE("a position of a time without an id begins with the first row of that time") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "z", .next_try_time = std::nullopt},
                                      {.id = "y", .next_try_time = 9},
                                      {.id = "b", .next_try_time = 10},
                                      {.id = "a", .next_try_time = 10},
                                      {.id = "c", .next_try_time = 11},
                                      {.id = "later", .next_try_time = table.now() + 3'600'000}});
    const auto store = table.open();
    for (const std::size_t limit : {1, 2, 100}) {
        CAPTURE(limit);
        CHECK(sweep(*store, limit, {10, std::nullopt}) == strings{"a", "b", "c"});
        CHECK(sweep(*store, limit, {10, "a"}) == strings{"b", "c"});
        CHECK(sweep(*store, limit, {11, "c"}) == strings{});
        CHECK(sweep(*store, limit, {std::nullopt, "z"}) == strings{"y", "a", "b", "c"});
    }
}

// Times are few, so that every page border falls between rows of one time.
TEST_CASE("paging through thousands of rows with the same times loses none and brings none twice") {
    table_view table;
    std::vector<new_row> rows;
    std::vector<std::pair<std::optional<outbox::epoch_ms>, std::string>> order;
    const auto ids = numbered(4'000);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto kind = (i * 7919) % 5;
        const auto time = kind == 0 ? std::nullopt : std::optional<outbox::epoch_ms>(kind * 1000);
        rows.push_back({.id = ids[i], .next_try_time = time});
        order.emplace_back(time, ids[i]);
    }
    table.insert(rows);
    std::sort(order.begin(), order.end());  // nullopt is less than any time
    strings expected;
    for (const auto& one : order) expected.push_back(one.second);

    const auto store = table.open();
    for (const std::size_t limit : {101, 400, 800, 4'000}) {
        CAPTURE(limit);
        CHECK((sweep(*store, limit) == expected));
    }
}

TEST_CASE("rows that are settled between two pages do not make the next page skip others") {
    table_view table;
    std::vector<new_row> rows;
    for (const auto& id : numbered(1'000)) rows.push_back({.id = id, .next_try_time = 5});
    table.insert(rows);
    const auto reader = table.open();
    const auto settler = table.open();
    std::multiset<std::string> seen;
    outbox::position at;
    for (bool complete = false; !complete;) {
        const auto page = reader->due(at, 90);
        std::vector<outbox::settlement> batch;
        for (const auto& row : page.rows) {
            seen.insert(row.id);
            batch.push_back(contract::delivered(row.id));
        }
        settler->settle(batch);
        at = page.next;
        complete = page.complete;
    }
    const auto ids = numbered(1'000);
    CHECK((seen == std::multiset<std::string>(ids.begin(), ids.end())));
}

}  // namespace
