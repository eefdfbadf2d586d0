#include <doctest/doctest.h>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::shape;
using contract::table_view;
using outbox::status;

TEST_CASE("a census counts each status, due rows and the ledger") {
    for (const auto of : {shape::recommended, shape::nine}) {
        table_view table(of);
        int next = 0;
        for (const int one : {0, 0, 1, 2, 2, 2, 3, 42}) table.insert({.id = std::to_string(next++), .status = one});
        const auto found = table.open()->count_up_to(100);
        const std::map<status, std::uint64_t> expected{
            {status::delivering, 2}, {status::delivered, 1}, {status::failed, 3}, {status::consumed, 1}};
        CHECK(found.rows == expected);
        CHECK(found.due == 2);
        CHECK(found.ledger_entries == 0);
        CHECK(found.now > 0);
    }
}

TEST_CASE("a census counts receipts that are overdue, if it is told after how long they are") {
    table_view table;
    const auto now = table.now();
    const auto store = table.open();
    for (const int one : {0, 1, 2, 3})
        for (const int age : {0, 30'000, 90'000, 120'000})
            table.insert({.id = std::to_string(one) + "-" + std::to_string(age),
                          .status = one,
                          .next_try_time = now + 3'600'000,
                          .update_time = now - age});
    const auto overdue = [&](std::uint64_t most, std::optional<std::chrono::milliseconds> after) {
        return store->count_up_to(most, std::chrono::minutes(1), after).receipts_overdue;
    };
    CHECK(overdue(100, std::chrono::seconds(60)) == 2);
    CHECK(overdue(1, std::chrono::seconds(60)) == 1);
    CHECK(overdue(100, std::chrono::hours(1)) == 0);
    CHECK(overdue(100, std::nullopt) == 0);
}

TEST_CASE("a census stops counting at its limit") {
    table_view table;
    const auto now = table.now();
    for (int i = 0; i < 30; ++i)
        table.insert({.id = std::to_string(i), .status = i % 2, .next_try_time = now - 1'000 - i});
    const auto found = table.open()->count_up_to(10);
    CHECK(found.rows.at(status::delivering) == 10);
    CHECK(found.rows.at(status::delivered) == 10);
    CHECK(found.due == 10);
    CHECK(found.oldest_due == now - 1'028);
}

TEST_CASE("a census that takes too long is given up") {
    table_view table;
    const auto store = table.open();
    CHECK_THROWS_AS(store->count_up_to(100, std::chrono::milliseconds(0)), outbox::store_busy);
    CHECK(store->count_up_to(100).due == 0);
}

TEST_CASE("a census of an empty table is all nothing") {
    table_view table;
    const auto before = table.now();
    const auto found = table.open()->count_up_to(100);
    CHECK(found.due == 0);
    CHECK_FALSE(found.oldest_due);
    CHECK(found.now >= before);
    for (const auto& [of, rows] : found.rows) CHECK(rows == 0);
}

TEST_CASE("the oldest due row of a census is found by next_try_time, or by create_time where that says nothing") {
    table_view table;
    const auto now = table.now();
    table.insert(std::vector<new_row>{{.id = "a", .next_try_time = now - 5'000},
                                      {.id = "b", .next_try_time = std::nullopt, .create_time = now - 1'000},
                                      {.id = "c", .next_try_time = 0, .create_time = now - 2'000},
                                      {.id = "d", .next_try_time = now + 3'600'000, .create_time = 1},
                                      {.id = "e", .status = 1, .next_try_time = 1}});
    const auto store = table.open();
    CHECK(store->count_up_to(100).due == 3);
    CHECK(store->count_up_to(100).oldest_due == now - 5'000);
    table.execute("DELETE FROM {} WHERE id = 'a'");
    CHECK(store->count_up_to(100).oldest_due == now - 2'000);
    table.execute("DELETE FROM {} WHERE id = 'c'");
    CHECK(store->count_up_to(100).oldest_due == now - 1'000);
}

}  // namespace
