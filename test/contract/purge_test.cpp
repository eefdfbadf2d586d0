#include <doctest/doctest.h>

#include <future>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using outbox::status;
using namespace std::chrono_literals;

constexpr std::int64_t hour = 3'600'000;

// Ages are hours before now: an id says status and age, "1-5" is a delivered row of five hours.
void insert_of_age(table_view& table, int of, int hours, bool without_update_time = false) {
    const auto time = table.now() - hours * hour;
    table.insert({.id = std::to_string(of) + "-" + std::to_string(hours) + (without_update_time ? "n" : ""),
                  .status = of,
                  .create_time = without_update_time ? time : time - 100 * hour,
                  .update_time = without_update_time ? std::nullopt : std::optional(time)});
}

std::string ids_left(table_view& table) {
    std::string all;
    for (const auto& one : table.sql().rows(table.on().in("SELECT id FROM {} ORDER BY id")))
        all += (all.empty() ? "" : " ") + one.front().value();
    return all;
}

TEST_CASE("purging takes the rows of one status that are older than asked for, by their last change") {
    table_view table;
    for (const int of : {0, 1, 2, 3, 7}) {
        for (const int hours : {1, 5}) insert_of_age(table, of, hours);
    }
    const auto store = table.open();
    CHECK(store->purgeable(status::delivered, 2h) == 1);
    CHECK(store->purge(status::delivered, 2h, 100) == 1);
    CHECK(ids_left(table) == "0-1 0-5 1-1 2-1 2-5 3-1 3-5 7-1 7-5");
    CHECK(store->purge(status::consumed, 2h, 100) == 1);
    CHECK(store->purge(status::failed, 2h, 100) == 1);
    CHECK(ids_left(table) == "0-1 0-5 1-1 2-1 3-1 7-1 7-5");
    CHECK(store->purge(status::delivered, 2h, 100) == 0);
    CHECK(store->purgeable(status::delivered, 2h) == 0);
}

TEST_CASE("rows that are to be delivered are never purged, whoever asks") {
    table_view table;
    insert_of_age(table, 0, 1'000);
    const auto store = table.open();
    CHECK_THROWS_AS(store->purge(status::delivering, 1h, 100), std::invalid_argument);
    CHECK_THROWS_AS(store->purgeable(status::delivering, 1h), std::invalid_argument);
    CHECK(ids_left(table) == "0-1000");
}

TEST_CASE("a row that was never changed since has the age of its creation, and one without any time is kept") {
    table_view table;
    insert_of_age(table, 1, 5);
    insert_of_age(table, 1, 6, true);
    insert_of_age(table, 1, 1, true);
    table.insert({.id = "timeless", .status = 1, .create_time = std::nullopt, .update_time = std::nullopt});
    const auto store = table.open();
    CHECK(store->purgeable(status::delivered, 2h) == 2);
    CHECK(store->purge(status::delivered, 2h, 100) == 2);
    CHECK(ids_left(table) == "1-1n timeless");
}

TEST_CASE("a purge takes at most as many rows as it is told, and in the end all of them") {
    for (const auto of : {shape::recommended, shape::nine}) {
        table_view table(of);
        std::vector<new_row> rows;
        for (const auto& id : numbered(1'300)) rows.push_back({.id = id, .status = 1});
        for (std::size_t i = 0; i < 100; ++i) rows[i].update_time.reset();  // found last
        rows.push_back({.id = "kept", .status = 1, .update_time = table.now()});
        table.insert(rows);
        const auto store = table.open();
        CHECK(store->purgeable(status::delivered, 1h) == 1'300);
        CHECK(store->purge(status::delivered, 1h, 1) == 1);
        CHECK(store->purge(status::delivered, 1h, 513) == 513);
        CHECK(table.number("SELECT COUNT(*) FROM {}") == 1'300 - 514 + 1);
        CHECK(store->purge(status::delivered, 1h, 750) == 750);
        CHECK(store->purge(status::delivered, 1h, 750) == 36);
        CHECK(ids_left(table) == "kept");
    }
}

TEST_CASE("a purge leaves alone what somebody has just sent again") {
    table_view table;
    insert_of_age(table, 2, 5);
    insert_of_age(table, 2, 6);
    const auto store = table.open();
    CHECK(store->purgeable(status::failed, 2h) == 2);
    table.execute("UPDATE {} SET status = 0 WHERE id = '2-5'");
    CHECK(store->purge(status::failed, 2h, 100) == 1);
    CHECK(ids_left(table) == "2-5");
}

TEST_CASE("a purge that has found a row leaves it alone when somebody has sent it again before it is removed") {
    table_view table;
    insert_of_age(table, 2, 5);
    const auto operators = table.on().connect();
    operators->execute("BEGIN");
    operators->execute(table.on().in("UPDATE {} SET status = 0"));
    const auto store = table.open();
    auto purged = std::async(std::launch::async, [&]() -> std::size_t {
        try {
            return store->purge(status::failed, 2h, 100);
        } catch (const outbox::store_busy&) {
            return 0;
        }
    });
    purged.wait_for(300ms);  // by then it waits for the row's lock
    operators->execute("COMMIT");
    CHECK(purged.get() == 0);
    CHECK(ids_left(table) == "2-5");
}

TEST_CASE("a purge is neither kept waiting by rows that an application is inserting, nor does it take them") {
    table_view table;
    if (!table.on().locks_rows()) return;
    insert_of_age(table, 1, 5);
    const auto application = table.on().connect();
    application->execute("BEGIN");
    application->execute(
        table.on().in("INSERT INTO {} (id, msg, exchange, routing_key, status, update_time) "
                      "VALUES ('being inserted', '{}', '', '', 1, 1)"));
    CHECK(table.open()->purge(status::delivered, 2h, 100) == 1);
    application->execute("COMMIT");
    CHECK(ids_left(table) == "being inserted");
}

}  // namespace
