#include <doctest/doctest.h>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::sweep;
using contract::table_view;
using strings = std::vector<std::string>;

constexpr auto columns =
    "INSERT INTO {} (id, msg, exchange, routing_key, status, try_count, next_try_time, create_time, update_time) "
    "VALUES ";

TEST_CASE("a row is not seen before its transaction commits, and never if it rolls back") {
    table_view table;
    const auto store = table.open();
    const auto application = table.on().connect();

    application->execute("BEGIN");
    application->execute(table.on().in(columns) + table.values({.id = "a"}));
    CHECK(sweep(*store, 10).empty());
    CHECK(store->backlog().due == 0);
    application->execute("ROLLBACK");
    CHECK(sweep(*store, 10).empty());

    application->execute("BEGIN");
    application->execute(table.on().in(columns) + table.values({.id = "b"}));
    CHECK(sweep(*store, 10).empty());
    application->execute("COMMIT");
    CHECK(sweep(*store, 10) == strings{"b"});
}

TEST_CASE("a row whose transaction commits after a sweep has passed its place is found by the next sweep") {
    table_view table;
    if (!table.on().locks_rows()) return;
    const auto store = table.open();
    const auto slow = table.on().connect();
    slow->execute("BEGIN");
    slow->execute(table.on().in(columns) + table.values({.id = "early", .next_try_time = 5}));
    table.insert(std::vector<new_row>{{.id = "m", .next_try_time = 10}, {.id = "n", .next_try_time = 20}});

    auto page = store->due({}, 1);
    REQUIRE(page.rows.size() == 1);
    CHECK(page.rows.front().id == "m");
    slow->execute("COMMIT");
    CHECK(sweep(*store, 10, page.next) == strings{"n"});  // the place has been passed
    CHECK(sweep(*store, 10) == strings{"early", "m", "n"});
}

TEST_CASE("reading waits for nobody's lock") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}});
    const auto application = table.on().connect();
    application->execute("BEGIN");
    application->execute(table.on().in("UPDATE {} SET try_count = 9 WHERE id = 'a'"));
    const auto page = table.open()->due({}, 10);
    REQUIRE(page.rows.size() == 2);
    CHECK(page.rows.front().try_count == 0);  // as committed
    application->execute("ROLLBACK");
}

TEST_CASE("reading locks nothing and writes nothing") {
    table_view table;
    table.insert({.id = "a", .next_try_time = 3});
    const auto store = table.open();
    const auto page = store->due({}, 10);
    CHECK(page.rows.size() == 1);
    CHECK(table.execute("UPDATE {} SET exchange = 'changed' WHERE id = 'a'") == 1);
    CHECK(table.of("a", "next_try_time") == "3");
    CHECK(table.of("a", "update_time") == "1");
    CHECK(table.status_of("a") == 0);
}

TEST_CASE("each page sees what was committed until then") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "c"}, {.id = "e"}});
    const auto store = table.open();
    const auto page = store->due({}, 1);
    table.insert({.id = "b"});
    table.execute("UPDATE {} SET status = 3 WHERE id = 'c'");
    CHECK(sweep(*store, 10, page.next) == strings{"b", "e"});
}

}  // namespace
