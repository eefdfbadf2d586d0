#include <doctest/doctest.h>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::shape;
using contract::table_view;

TEST_CASE("the backlog counts every status that occurs, also those that nobody knows") {
    for (const auto of : {shape::recommended, shape::nine}) {
        table_view table(of);
        int next = 0;
        for (const int status : {0, 0, 1, 2, 2, 2, 3, 42, -7})
            table.insert({.id = std::to_string(next++), .status = status});
        const std::map<int, std::uint64_t> expected{{-7, 1}, {0, 2}, {1, 1}, {2, 3}, {3, 1}, {42, 1}};
        CHECK(table.open()->backlog().by_status == expected);
    }
}

TEST_CASE("an empty table has no backlog, but a time") {
    table_view table;
    const auto before = table.now();
    const auto backlog = table.open()->backlog();
    CHECK(backlog.by_status.empty());
    CHECK(backlog.due == 0);
    CHECK_FALSE(backlog.oldest_due);
    CHECK(backlog.now >= before);
    CHECK(backlog.now <= table.now());
}

TEST_CASE("due are the rows whose time has come, those without a time among them") {
    table_view table;
    const auto now = table.now();
    table.insert(std::vector<new_row>{{.id = "a", .next_try_time = now - 5'000},
                                      {.id = "b", .next_try_time = std::nullopt, .create_time = now - 1'000},
                                      {.id = "c", .next_try_time = 0, .create_time = now - 2'000},
                                      {.id = "d", .next_try_time = now + 3'600'000, .create_time = 1},
                                      {.id = "e", .status = 1, .next_try_time = 1}});
    const auto store = table.open();
    CHECK(store->backlog().due == 3);
    CHECK(store->backlog().oldest_due == now - 5'000);
    table.execute("DELETE FROM {} WHERE id = 'a'");
    CHECK(store->backlog().oldest_due == now - 2'000);
    table.execute("DELETE FROM {} WHERE id = 'c'");
    CHECK(store->backlog().oldest_due == now - 1'000);
    CHECK(store->backlog().by_status.at(0) == 2);
}

TEST_CASE("something is left as long as a row of status 0 is due, or was tried and will be again") {
    for (const auto of : {shape::recommended, shape::nine}) {
        table_view table(of);
        const auto store = table.open();
        const auto later = table.now() + 3'600'000;
        CHECK_FALSE(store->left().unfinished);
        table.insert(std::vector<new_row>{{.id = "delivered", .status = 1},
                                          {.id = "failed", .status = 2, .try_count = 3},
                                          {.id = "nobody's", .status = 7},
                                          {.id = "put off", .next_try_time = later},
                                          {.id = "put off, too", .next_try_time = later + 1}});
        CHECK_FALSE(store->left().unfinished);
        CHECK(store->left().delayed == 2);
        const std::vector<new_row> unfinished = {{.id = "due", .next_try_time = table.now() - 1},
                                                 {.id = "due since ever", .next_try_time = 0},
                                                 {.id = "due without a time", .next_try_time = std::nullopt},
                                                 {.id = "retried", .next_try_time = later, .try_count = 1}};
        for (const auto& one : unfinished) {
            CAPTURE(one.id);
            table.insert(one);
            CHECK(store->left().unfinished);
            table.execute("UPDATE {} SET status = 1 WHERE id = '" + one.id + "'");
            CHECK_FALSE(store->left().unfinished);
        }
    }
}

TEST_CASE("pending rows are counted by exchange, the largest number first, without the default exchange") {
    table_view table;
    int next = 0;
    const auto add = [&](const std::string& exchange, int count, int status) {
        for (int i = 0; i < count; ++i)
            table.insert({.id = std::to_string(next++),
                          .status = status,
                          .next_try_time = i % 2 == 0 ? 0 : table.now() + 3'600'000,  // pending, due or not
                          .exchange = exchange});
    };
    add("orders", 2, 0);
    add("it's", 3, 0);
    add("", 9, 0);
    add("settled", 9, 1);
    add("rare", 1, 0);
    const auto store = table.open();
    using pairs = std::vector<std::pair<std::string, std::uint64_t>>;
    CHECK((store->pending_exchanges(10) == pairs{{"it's", 3}, {"orders", 2}, {"rare", 1}}));
    CHECK((store->pending_exchanges(2) == pairs{{"it's", 3}, {"orders", 2}}));
}

}  // namespace
