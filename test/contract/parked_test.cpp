// Parked rows: put off to one exact time without a try, and found again by it.
#include <doctest/doctest.h>

#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using outbox::settlement;

constexpr auto why = "parked: 312 NO_ROUTE";

settlement parked(std::string id, outbox::epoch_ms until) {
    return {.id = std::move(id), .what = settlement::kind::parked, .try_count = 99, .error = why, .until = until};
}

/// All steps of a release, of so many rows each.
std::size_t release_all(outbox::store& store, outbox::epoch_ms until, std::size_t limit) {
    std::size_t rows = 0;
    std::optional<std::string> after;
    do {
        const auto step = store.release(until, after, limit);
        rows += step.rows;
        after = step.next;
    } while (after);
    return rows;
}

TEST_CASE("a parked row has its new time to the millisecond, says why, and has spent no try") {
    table_view table;
    table.insert({{.id = "a", .try_count = 2}, {.id = "b", .status = 3}, {.id = "c"}});
    const auto before = table.now();
    const auto until = before + 300'000;
    CHECK(table.open()->settle(std::array{parked("a", until), parked("b", until), parked("c", until + 1)}) == 2);
    CHECK(table.of("a", "next_try_time") == std::to_string(until));
    CHECK(table.of("c", "next_try_time") == std::to_string(until + 1));
    CHECK(table.of("a", "try_count") == "2");
    CHECK(table.of("a", "last_error") == why);
    CHECK(table.statuses() == "0 3 0");
    CHECK(table.of("b", "next_try_time") == "0");
    CHECK(std::stoll(table.of("a", "update_time")) >= before);
    const auto store = table.open();
    CHECK(store->due({}, 10).rows.empty());
    CHECK(store->settle(std::array{parked("a", until)}) == 1);
    CHECK(table.of("a", "next_try_time") == std::to_string(until));
}

TEST_CASE("parked rows are released by their time, in steps, and no other row is") {
    table_view table;
    const auto until = table.now() + 300'000;
    const auto ids = numbered(250);
    std::vector<new_row> rows;
    std::vector<settlement> batch;
    for (const auto& id : ids) {
        rows.push_back({.id = id});
        batch.push_back(parked(id, until));
    }
    rows.push_back({.id = "put off by the application", .next_try_time = until});
    rows.push_back({.id = "of another key"});
    rows.push_back({.id = "tried", .next_try_time = until, .try_count = 1});
    rows.push_back({.id = "consumed meanwhile"});
    batch.push_back(parked("of another key", until + 1));
    batch.push_back(parked("consumed meanwhile", until));
    table.insert(rows);
    const auto store = table.open();
    REQUIRE(store->settle(batch) == 252);
    table.execute("UPDATE {} SET status = 3 WHERE id = 'consumed meanwhile'");

    const auto step = store->release(until, {}, 100);
    CHECK(step.rows == 100);
    CHECK(step.next == ids[99]);
    CHECK(store->release(until, step.next, 100).rows == 100);
    CHECK(release_all(*store, until, 100) == 50);
    CHECK(contract::sweep(*store, 40).size() == 250);
    for (const auto* other : {"put off by the application", "tried"})
        CHECK(table.of(other, "next_try_time") == std::to_string(until));
    CHECK(table.of("of another key", "next_try_time") == std::to_string(until + 1));
    CHECK(table.status_of("consumed meanwhile") == 3);
    CHECK(table.of(ids[0], "try_count") == "0");

    CHECK(release_all(*store, until, 100) == 0);
    CHECK(release_all(*store, until + 1, 1) == 1);
}

TEST_CASE("parked rows count as unfinished, unlike those that the application has put off") {
    table_view table;
    const auto until = table.now() + 300'000;
    table.insert({{.id = "a"}, {.id = "b", .next_try_time = until}});
    const auto store = table.open();
    store->settle(std::array{parked("a", until)});
    CHECK(store->left().unfinished);
    table.execute("DELETE FROM {} WHERE id = 'a'");
    CHECK_FALSE(store->left().unfinished);
    CHECK(store->left().delayed == 1);
}

TEST_CASE("without a column last_error parked rows can't be told from others: they wait for their time") {
    table_view table(shape::nine);
    const auto until = table.now() + 300'000;
    table.insert({.id = "a"});
    const auto store = table.open();
    CHECK(store->settle(std::array{parked("a", until)}) == 1);
    CHECK(store->release(until, {}, 10).rows == 0);
    CHECK_FALSE(store->release(until, {}, 10).next);
    CHECK(table.of("a", "next_try_time") == std::to_string(until));
    CHECK_FALSE(store->left().unfinished);
}

}  // namespace
