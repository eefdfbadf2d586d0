// The state machine: which change of status a settlement may make, and which it must leave to others.
#include <doctest/doctest.h>

#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::new_row;
using contract::retry;
using contract::table_view;
using outbox::settlement;
using namespace std::chrono_literals;

TEST_CASE("a settlement changes a row of status 0, and none of any other status") {
    struct transition {
        settlement::kind what;
        int from;
        int to;
    };
    using kind = settlement::kind;
    constexpr std::array allowed{transition{kind::delivered, 0, 1}, transition{kind::retry, 0, 0},
                                 transition{kind::failed, 0, 2}};
    for (const auto what : {kind::delivered, kind::retry, kind::failed}) {
        for (const int from : {0, 1, 2, 3, 4, -1, 99}) {
            CAPTURE(static_cast<int>(what));
            CAPTURE(from);
            int to = from;
            for (const auto& one : allowed) {
                if (one.what == what && one.from == from) to = one.to;
            }
            table_view table;
            table.insert({.id = "a", .status = from, .next_try_time = 7, .try_count = 1});
            const auto changed = table.open()->settle(std::array{settlement{"a", what, 2, 1h, "why"}});
            CHECK(changed == (from == 0 ? 1 : 0));
            CHECK(table.status_of("a") == to);
            if (from == 0) continue;
            CHECK(table.of("a", "try_count") == "1");
            CHECK(table.of("a", "next_try_time") == "7");
            CHECK(table.of("a", "update_time") == "1");
            CHECK(table.of("a", "last_error") == "NULL");
        }
    }
}

TEST_CASE("a receipt that overtakes the confirm is not undone by it") {
    table_view table;
    table.insert({.id = "a"});
    const auto store = table.open();
    REQUIRE(store->due({}, 10).rows.size() == 1);
    table.execute("UPDATE {} SET status = 3 WHERE id = 'a' AND status IN (0, 1)");
    CHECK(store->settle(std::array{delivered("a")}) == 0);
    CHECK(store->settle(std::array{retry("a", 1, 1h)}) == 0);
    CHECK(store->settle(std::array{failed("a", 4)}) == 0);
    CHECK(table.status_of("a") == 3);
}

TEST_CASE("a row that was deleted on its way stays deleted") {
    table_view table;
    table.insert({.id = "a"});
    const auto store = table.open();
    REQUIRE(store->due({}, 10).rows.size() == 1);
    table.execute("DELETE FROM {} WHERE id = 'a'");
    CHECK(store->settle(std::array{delivered("a")}) == 0);
    CHECK(store->settle(std::array{retry("a", 1, 1h)}) == 0);
    CHECK(table.statuses().empty());
}

TEST_CASE("a row that an operator sent again after it had failed is settled again") {
    table_view table;
    table.insert({.id = "a"});
    const auto store = table.open();
    CHECK(store->settle(std::array{failed("a", 4)}) == 1);
    CHECK(table.execute("UPDATE {} SET status = 0, try_count = 0 WHERE id = 'a' AND status = 2") == 1);
    CHECK(store->settle(std::array{delivered("a")}) == 1);
    CHECK(table.status_of("a") == 1);
}

TEST_CASE("in a batch, the rows that others have changed are left alone and not counted, and the rest is settled") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"},
                                      {.id = "b", .status = 3},
                                      {.id = "c"},
                                      {.id = "d", .status = 1},
                                      {.id = "e"},
                                      {.id = "f", .status = 2},
                                      {.id = "g", .status = 42}});
    const auto changed =
        table.open()->settle(std::array{delivered("a"), delivered("b"), retry("c", 1, 1h), retry("d", 1, 1h),
                                        failed("e", 4), failed("f", 4), delivered("g"), delivered("never existed")});
    CHECK(changed == 3);
    CHECK(table.statuses() == "1 3 0 1 2 2 42");
    CHECK(table.of("f", "try_count") == "0");
}

TEST_CASE("two that settle the same row can't both win") {
    table_view table;
    table.insert({.id = "a"});
    const auto one = table.open();
    const auto other = table.open();
    CHECK(one->settle(std::array{failed("a", 4)}) + other->settle(std::array{delivered("a")}) == 1);
    CHECK(table.status_of("a") == 2);
}

}  // namespace
