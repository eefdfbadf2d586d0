#include <doctest/doctest.h>

#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::new_row;
using contract::numbered;
using contract::retry;
using contract::shape;
using contract::table_view;
using outbox::settlement;
using namespace std::chrono_literals;

TEST_CASE("a delivered row has status 1, the time of its delivery, and is otherwise as it was") {
    table_view table;
    table.insert({.id = "a", .next_try_time = 7, .try_count = 2, .create_time = 5});
    const auto before = table.now();
    CHECK(table.open()->settle(std::array{delivered("a")}) == 1);
    CHECK(table.status_of("a") == 1);
    CHECK(table.of("a", "try_count") == "2");
    CHECK(table.of("a", "next_try_time") == "7");
    CHECK(table.of("a", "create_time") == "5");
    CHECK(table.of("a", "last_error") == "NULL");
    const auto update_time = std::stoll(table.of("a", "update_time"));
    CHECK(update_time >= before);
    CHECK(update_time <= table.now());
}

TEST_CASE("a row that is to be tried again stays due, but later by the database's clock, and says why") {
    table_view table;
    table.insert({.id = "a"});
    const auto store = table.open();
    const auto before = table.now();
    CHECK(store->settle(std::array{retry("a", 3, 60s, "312 NO_ROUTE")}) == 1);
    const auto after = table.now();
    CHECK(table.status_of("a") == 0);
    CHECK(table.of("a", "try_count") == "3");
    CHECK(table.of("a", "last_error") == "312 NO_ROUTE");
    const auto next = std::stoll(table.of("a", "next_try_time"));
    CHECK(next >= before + 60'000);
    CHECK(next <= after + 60'000);
    CHECK(std::stoll(table.of("a", "update_time")) >= before);
    CHECK(store->due({}, 10).rows.empty());
}

TEST_CASE("a failed row has status 2, its tries and its reason") {
    table_view table;
    table.insert({.id = "a", .next_try_time = 7});
    CHECK(table.open()->settle(std::array{failed("a", 4, "headers are not JSON")}) == 1);
    CHECK(table.status_of("a") == 2);
    CHECK(table.of("a", "try_count") == "4");
    CHECK(table.of("a", "last_error") == "headers are not JSON");
    CHECK(table.of("a", "next_try_time") == "7");
    CHECK(table.of("a", "update_time") != "1");
}

TEST_CASE("one batch records delivered, retried and failed rows alike, each with its own values") {
    table_view table;
    std::vector<new_row> rows;
    std::vector<settlement> batch;
    const auto ids = numbered(60);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        rows.push_back({.id = ids[i]});
        const auto tries = static_cast<std::int64_t>(i);
        if (i % 3 == 0) batch.push_back(delivered(ids[i]));
        if (i % 3 == 1) batch.push_back(retry(ids[i], tries, 1000s + i * 1000s, "retry " + ids[i]));
        if (i % 3 == 2) batch.push_back(failed(ids[i], tries, "failed " + ids[i]));
    }
    table.insert(rows);
    const auto before = table.now();
    CHECK(table.open()->settle(batch) == 60);
    const auto after = table.now();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& id = ids[i];
        CAPTURE(id);
        CHECK(table.status_of(id) == std::array{1, 0, 2}[i % 3]);
        CHECK(table.of(id, "try_count") == (i % 3 == 0 ? "0" : std::to_string(i)));
        CHECK(table.of(id, "last_error") == std::array<std::string, 3>{"NULL", "retry " + id, "failed " + id}[i % 3]);
        if (i % 3 != 1) continue;
        const auto delay = static_cast<std::int64_t>((1 + i) * 1'000'000);
        const auto next = std::stoll(table.of(id, "next_try_time"));
        CHECK(next >= before + delay);
        CHECK(next <= after + delay);
    }
}

TEST_CASE("batches of every size change every row of theirs and no other") {
    for (const std::size_t size : {1, 2, 3, 4, 5, 511, 512, 513, 1000, 1025}) {
        for (const auto what : {settlement::kind::delivered, settlement::kind::retry, settlement::kind::failed}) {
            CAPTURE(size);
            CAPTURE(static_cast<int>(what));
            table_view table;
            std::vector<new_row> rows{{.id = "bystander", .try_count = 7}};
            std::vector<settlement> batch;
            for (const auto& id : numbered(size)) {
                rows.push_back({.id = id});
                batch.push_back({id, what, 3, 1h, "why " + id});
            }
            table.insert(rows);
            CHECK(table.open()->settle(batch) == size);
            const auto expected =
                what == settlement::kind::delivered ? "SELECT COUNT(*) FROM {} WHERE status = 1 AND try_count = 0"
                : what == settlement::kind::retry
                    ? "SELECT COUNT(*) FROM {} WHERE status = 0 AND try_count = 3 AND "
                      "next_try_time > 0 AND SUBSTR(last_error, 1, 4) = 'why ' AND SUBSTR(last_error, 5) = id"
                    : "SELECT COUNT(*) FROM {} WHERE status = 2 AND try_count = 3 AND "
                      "SUBSTR(last_error, 1, 4) = 'why ' AND SUBSTR(last_error, 5) = id";
            CHECK(table.number(expected) == static_cast<std::int64_t>(size));
            CHECK(table.status_of("bystander") == 0);
            CHECK(table.of("bystander", "try_count") == "7");
            CHECK(table.of("bystander", "last_error") == "NULL");
        }
    }
}

TEST_CASE("an empty batch changes nothing") {
    table_view table;
    table.insert({.id = "a"});
    CHECK(table.open()->settle({}) == 0);
    CHECK(table.status_of("a") == 0);
}

TEST_CASE("settling the same batch twice leaves what settling it once leaves") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "d"}, {.id = "f"}, {.id = "r", .try_count = 1}});
    const std::array batch{delivered("d"), failed("f", 4), retry("r", 2, 1h)};
    const auto store = table.open();
    CHECK(store->settle(batch) == 3);
    const auto delivered_at = table.of("d", "update_time");
    store->settle(batch);
    CHECK(table.statuses() == "1 2 0");
    CHECK(table.of("r", "try_count") == "2");
    CHECK(table.of("f", "try_count") == "4");
    CHECK(table.of("d", "update_time") == delivered_at);
    CHECK(std::stoll(table.of("r", "next_try_time")) <= table.now() + 3'600'000);
}

TEST_CASE("without a column for it, the reason is left out") {
    table_view table(shape::nine);
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}, {.id = "c"}});
    CHECK(table.open()->settle(std::array{delivered("a"), retry("b", 1, 1h, "why"), failed("c", 4, "why")}) == 3);
    CHECK(table.statuses() == "1 0 2");
}

TEST_CASE("who wants no history has a delivered row removed, but not a failed one") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}, {.id = "c"}, {.id = "d", .status = 3}, {.id = "e"}});
    const auto store = table.open({.after_delivery = conf::after_delivery::remove, .role = {}});
    CHECK(store->settle(std::array{delivered("a"), retry("b", 1, 1h), failed("c", 4), delivered("d")}) == 3);
    CHECK(table.statuses() == "0 2 3 0");
    CHECK(table.number("SELECT COUNT(*) FROM {} WHERE id = 'a'") == 0);
    CHECK(store->settle(std::array{delivered("a")}) == 0);
}

}  // namespace
