// What failed, by its cause: of messages.
#include <doctest/doctest.h>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::shape;
using contract::table_view;
using outbox::message_filter;
using outbox::message_group;

message_filter failed_ones() {
    message_filter filter;
    filter.status = 2;
    return filter;
}

TEST_CASE("failed messages are grouped by exchange and error, byte by byte, the most first") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a", .status = 2, .exchange = "x", .update_time = 30},
                                      {.id = "b", .status = 2, .exchange = "x", .update_time = 10},
                                      {.id = "c", .status = 2, .exchange = "X", .update_time = 20},
                                      {.id = "d", .status = 2, .exchange = "x", .update_time = std::nullopt},
                                      {.id = "e", .status = 2, .exchange = "x", .update_time = 40},
                                      {.id = "f", .status = 2, .exchange = "", .update_time = 50},
                                      {.id = "g", .status = 2, .exchange = "", .update_time = 60},
                                      {.id = "h", .status = 1, .exchange = "x", .update_time = 70}});
    table.execute("UPDATE {} SET last_error = '312 NO_ROUTE' WHERE id IN ('a', 'b', 'c', 'd')");
    table.execute("UPDATE {} SET last_error = '312 no_route' WHERE id = 'e'");
    const auto store = table.open();
    const auto all = store->groups(failed_ones(), 100, 10);
    CHECK(all.looked_at == 7);
    CHECK(all.complete);
    REQUIRE(all.groups.size() == 4);
    CHECK(all.groups[0] == message_group{"x", "312 NO_ROUTE", 3, 10, 30});
    CHECK(all.groups[1] == message_group{"", std::nullopt, 2, 50, 60});
    CHECK(all.groups[2] == message_group{"X", "312 NO_ROUTE", 1, 20, 20});
    CHECK(all.groups[3] == message_group{"x", "312 no_route", 1, 40, 40});

    const auto most = store->groups(failed_ones(), 100, 1);
    CHECK(most.groups == std::vector{all.groups[0]});
    CHECK(most.looked_at == 7);
    CHECK(most.complete);

    auto some = failed_ones();
    some.exchange = "x";
    some.error = "NO_ROUTE";
    const auto narrowed = store->groups(some, 100, 10);
    CHECK(narrowed.groups == std::vector{all.groups[0]});
    CHECK(narrowed.looked_at == 3);
    CHECK(store->groups({}, 100, 10).looked_at == 8);
}

TEST_CASE("no more rows are looked at than was asked for, the latest first, and whether that was all is said") {
    table_view table;
    std::vector<new_row> rows;
    for (int i = 0; i < 50; ++i)
        rows.push_back(
            {.id = "m" + std::to_string(i), .status = 2, .exchange = i < 40 ? "old" : "new", .update_time = i + 1});
    table.insert(rows);
    const auto store = table.open();
    const auto latest = store->groups(failed_ones(), 10, 10);
    CHECK(latest.groups == std::vector{message_group{"new", std::nullopt, 10, 41, 50}});
    CHECK(latest.looked_at == 10);
    CHECK_FALSE(latest.complete);
    const auto exactly = store->groups(failed_ones(), 50, 10);
    CHECK(exactly.looked_at == 50);
    CHECK(exactly.complete);
    CHECK_FALSE(store->groups(failed_ones(), 49, 10).complete);
    CHECK(store->groups(failed_ones(), std::numeric_limits<std::uint64_t>::max(), 10).complete);
}

TEST_CASE("an error is grouped by the beginning of its first line; a table without that column has none") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a", .status = 2}, {.id = "b", .status = 2}, {.id = "c", .status = 2}});
    const auto set = [&](const std::string& id, const std::string& error) {
        table.execute("UPDATE {} SET last_error = " + table.on().text(error) + " WHERE id = '" + id + "'");
    };
    set("a", "why\nat 1");
    set("b", "why\nat 2");
    set("c", std::string(199, 'x') + "ü" + std::string(300, 'y'));
    const auto groups = table.open()->groups(failed_ones(), 100, 10).groups;
    REQUIRE(groups.size() == 2);
    CHECK(groups[0] == message_group{"orders", "why", 2, 1, 1});
    CHECK(groups[1].error == std::string(199, 'x') + "…");

    table_view nine(shape::nine);
    nine.insert({.id = "a", .status = 2});
    const auto without = nine.open()->groups(failed_ones(), 100, 10);
    CHECK(without.groups == std::vector{message_group{"orders", std::nullopt, 1, 1, 1}});
    CHECK(table_view().open()->groups(failed_ones(), 100, 10).groups.empty());
}

}  // namespace
