// What a statement costs must depend on the rows that it brings, not on those that are there.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using namespace std::chrono_literals;

constexpr std::size_t page_rows = 500;
// For each row: its index entry, the row itself, and one entry more at each end of a range.
constexpr std::uint64_t few = 3 * page_rows;

// The least of a few runs: whatever else the server does meanwhile only adds to it.
std::uint64_t examined_by(table_view& table, int runs, const std::function<void()>& work) {
    auto least = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i < runs; ++i) {
        const auto before = *table.on().rows_examined();
        const auto again = *table.on().rows_examined();
        work();
        const auto sum = *table.on().rows_examined() - again;
        least = std::min(least, sum - std::min(sum, again - before));
    }
    return least;
}

// 50,000 settled rows, and as many due ones as there are times.
void fill(table_view& table, const std::vector<std::optional<outbox::epoch_ms>>& due) {
    std::vector<new_row> rows;
    for (std::size_t i = 0; i < 50'000; ++i)
        rows.push_back({.id = "s" + std::to_string(i), .status = i % 7 == 0 ? 3 : 1, .next_try_time = 1});
    const auto ids = numbered(due.size());
    for (std::size_t i = 0; i < due.size(); ++i) rows.push_back({.id = ids[i], .next_try_time = due[i]});
    table.insert(rows);
}

TEST_CASE("a page costs no more for the settled rows, nor for the due rows of the same time before it") {
    table_view table;
    if (!table.on().rows_examined()) return;
    fill(table, std::vector<std::optional<outbox::epoch_ms>>(20'000, 1'000));
    const auto store = table.open();
    outbox::position at;
    std::size_t seen = 0;
    for (bool complete = false; !complete;) {
        outbox::page page;
        const auto run = [&] { page = store->due(at, page_rows); };
        if (seen % 5'000 == 0)
            CHECK(examined_by(table, 3, run) <= few);
        else
            run();
        seen += page.rows.size();
        at = page.next;
        complete = page.complete;
    }
    CHECK(seen == 20'000);
}

TEST_CASE("a page of rows without a time costs no more for those before it") {
    table_view table;
    if (!table.on().rows_examined()) return;
    fill(table, std::vector<std::optional<outbox::epoch_ms>>(6'000, std::nullopt));
    const auto store = table.open();
    const auto ids = numbered(6'000);
    for (const std::size_t after : {0, 2'999, 5'000}) {
        CAPTURE(after);
        outbox::page page;
        CHECK(examined_by(table, 3, [&] { page = store->due({std::nullopt, ids[after]}, page_rows); }) <= few);
        CHECK(page.rows.size() == page_rows);
        CHECK(page.rows.front().id == ids[after + 1]);
    }
}

TEST_CASE("a page costs no more for the rows that are due later") {
    table_view table;
    if (!table.on().rows_examined()) return;
    fill(table, std::vector<std::optional<outbox::epoch_ms>>(5'000, table.now() + 3'600'000));
    const auto store = table.open();
    CHECK(store->due({}, page_rows).rows.empty());
    CHECK(examined_by(table, 3, [&] { store->due({}, page_rows); }) <= 50);
}

TEST_CASE("settling costs no more than the rows that it settles") {
    for (const auto after : {conf::after_delivery::keep, conf::after_delivery::remove}) {
        table_view table;
        if (!table.on().rows_examined()) return;
        fill(table, std::vector<std::optional<outbox::epoch_ms>>(5'000, 1'000));
        const auto store = table.open({.after_delivery = after, .role = {}});
        store->backlog();
        const auto ids = numbered(5'000);
        std::size_t next = 0;
        const auto settle = [&](outbox::settlement::kind what) {
            std::vector<outbox::settlement> batch;
            for (std::size_t i = 0; i < page_rows; ++i) batch.push_back({ids.at(next++), what, 1, 1h, "why"});
            CHECK(store->settle(batch) == page_rows);
        };
        using kind = outbox::settlement::kind;
        CHECK(examined_by(table, 2, [&] { settle(kind::delivered); }) <= few);
        CHECK(examined_by(table, 2, [&] { settle(kind::retry); }) <= few);
        // Each row locked, filed in the ledger and changed; one by one, filing would cost twice that.
        CHECK(examined_by(table, 2, [&] { settle(kind::failed); }) <= few + 50);
        // A short batch at the end of a long list is where an optimizer prefers the wrong index.
        next = 4'999;
        CHECK(examined_by(table, 1, [&] { store->settle(std::vector{contract::delivered(ids[next])}); }) <= 50);
    }
}

TEST_CASE("purging costs no more than the rows that it removes") {
    table_view table;
    if (!table.on().rows_examined()) return;
    fill(table, {});
    const auto store = table.open();
    std::vector<new_row> young;
    for (const auto& id : numbered(5'000)) young.push_back({.id = id, .status = 1, .update_time = table.now()});
    table.insert(young);
    CHECK(examined_by(table, 2, [&] { CHECK(store->purge(outbox::status::delivered, 1h, page_rows) == page_rows); }) <=
          few);
    CHECK(examined_by(table, 2, [&] { CHECK(store->purge(outbox::status::failed, 1h, page_rows) == 0); }) <= 50);
}

TEST_CASE("a page of a listing costs what it holds, wherever it begins, and counting what it counts") {
    table_view table;
    if (!table.on().rows_examined()) return;
    fill(table, {});
    std::vector<new_row> rows;
    for (std::size_t i = 0; i < 20'000; ++i)
        rows.push_back({.id = "f" + std::to_string(i),
                        .status = 2,
                        .update_time = i % 2 == 0 ? std::nullopt : std::optional<outbox::epoch_ms>(i / 5'000)});
    table.insert(rows);
    const auto store = table.open();
    store->backlog();
    outbox::message_filter failed;
    failed.status = 2;
    using place = std::optional<outbox::list_place>;
    for (const auto& at : {place(), place({2, "f15"}), place({0, "f"}), place({{}, "f5"})}) {
        outbox::listing page;
        CHECK(examined_by(table, 3, [&] { page = store->list(failed, at, page_rows); }) <= few);
        CHECK(page.rows.size() == page_rows);
        CHECK(examined_by(table, 3, [&] { page = store->list({}, at, page_rows); }) <= 4 * few);
        CHECK(page.rows.size() == page_rows);
    }
    CHECK(examined_by(table, 3, [&] { CHECK(store->count(failed, page_rows) == page_rows); }) <= few);
}

TEST_CASE("of a million failed rows, a page, a count and groups cost what they look at") {
    table_view table;
    if (table.on().kind() != "mysql") return;
    std::vector<new_row> rows;
    for (const auto& id : numbered(1'024)) rows.push_back({.id = id, .status = 2, .next_try_time = 1});
    table.insert(rows);
    for (int doubled = 0; doubled < 10; ++doubled)
        table.execute("INSERT INTO {} (id, msg, exchange, routing_key, status, update_time) SELECT CONCAT(id, '" +
                      std::to_string(doubled) + "'), msg, exchange, routing_key, 2, update_time + " +
                      std::to_string(1 << doubled) + " FROM {}");
    const auto store = table.open();
    store->clock();
    outbox::message_filter failed;
    failed.status = 2;
    outbox::listing page;
    CHECK(examined_by(table, 2, [&] { page = store->list(failed, std::nullopt, page_rows); }) <= few);
    CHECK(page.rows.size() == page_rows);
    CHECK(examined_by(table, 2, [&] { page = store->list(failed, page.next, page_rows); }) <= few);
    auto late = failed;
    late.since = 1'000;
    CHECK(examined_by(table, 2, [&] { page = store->list(late, std::nullopt, page_rows); }) <= few);
    CHECK(examined_by(table, 2, [&] { CHECK(store->count(failed, page_rows) == page_rows); }) <= few);
    outbox::message_groups groups;
    CHECK(examined_by(table, 2, [&] { groups = store->groups(failed, 10 * page_rows, 10); }) <= 10 * few);
    CHECK(groups.looked_at == 10 * page_rows);
    CHECK_FALSE(groups.complete);
}

TEST_CASE("a page of the ledger costs what it holds, and so does a purge that finds nothing old") {
    table_view table;
    if (!table.on().rows_examined()) return;
    table.execute("DELETE FROM []");
    const auto ids = numbered(10'000);
    std::vector<new_row> rows;
    std::vector<outbox::settlement> batch;
    for (const auto& id : ids) {
        rows.push_back({.id = id});
        batch.push_back(contract::failed(id, 4));
    }
    table.insert(rows);
    const auto store = table.open();
    REQUIRE(store->settle(batch) == ids.size());
    std::vector<outbox::ledger_entry> page;
    CHECK(examined_by(table, 2, [&] { page = store->entries(std::nullopt, page_rows); }) <= few);
    CHECK(examined_by(table, 2, [&] { page = store->entries(page.back().id, page_rows); }) <= few);
    CHECK(page.size() == page_rows);
    CHECK(examined_by(table, 2, [&] { CHECK(store->count_entries({}, page_rows) == page_rows); }) <= few);
    CHECK(examined_by(table, 2, [&] { CHECK(store->purge_ledger(1h, page_rows) == 0U); }) <= 2 * few);
}

TEST_CASE("putting back and deleting by id costs no more than the rows that change") {
    table_view table;
    if (!table.on().rows_examined()) return;
    fill(table, {});
    std::vector<new_row> rows;
    const auto ids = numbered(4 * page_rows);
    for (const auto& id : ids) rows.push_back({.id = id, .status = 2});
    table.insert(rows);
    const auto store = table.open();
    store->backlog();
    std::size_t next = 0;
    const auto some = [&] { return std::span(ids).subspan(page_rows * next++, page_rows); };
    CHECK(examined_by(table, 2, [&] { CHECK(store->retry(some(), false) == page_rows); }) <= few);
    CHECK(examined_by(table, 2, [&] { CHECK(store->remove(some(), false) == page_rows); }) <= few);
}

}  // namespace
