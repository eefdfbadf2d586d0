// When a row is sent: not before its time, and however late its transaction commits.

#include <doctest/doctest.h>

#include "test/integration/rows.hpp"

using rows::put;
using support::eventually;
using strings = std::vector<std::string>;

namespace {

strings ids_in_order(const std::vector<support::received>& messages) {
    strings ids;
    for (const auto& one : messages) ids.push_back(one.id);
    return ids;
}

}  // namespace

TEST_SUITE("rows") {
    TEST_CASE("rows without a time, and of time 0, are sent at once, before those that have one") {
        support::scene here;
        put(here, "c", {{"next_try_time", "5"}});
        put(here, "b", {{"next_try_time", "0"}});
        put(here, "a", {{"next_try_time", "NULL"}});
        CHECK(ids_in_order(rows::relayed(here, 3)) == strings{"a", "b", "c"});
    }

    TEST_CASE("rows without a time that come while the relay is at work are sent as well") {
        support::scene here;
        const support::relaying relay(support::quick_settings(here.table));
        for (const char* id : {"a", "b", "c"}) {
            put(here, id, {{"next_try_time", "NULL"}});
            REQUIRE(here.reaches(1, here.rabbit.depth(here.to.queue()) + 1));
            REQUIRE(eventually([&] { return here.rows("status = 0") == 0; }));
        }
        CHECK(ids_in_order(here.rabbit.take_all(here.to.queue())) == strings{"a", "b", "c"});
    }

    TEST_CASE("a row with a time in the future is not sent before it by the database's clock, and then it is") {
        support::scene here;
        put(here, "later", {{"next_try_time", rows::now + " + 1500"}});
        put(here, "much later", {{"next_try_time", rows::now + " + 3600000"}});
        const auto due = here.server.number(here.table.in("SELECT next_try_time FROM {} WHERE id = 'later'"));
        const support::relaying relay(support::quick_settings(here.table));
        std::int64_t arrived = 0;
        REQUIRE(eventually([&] {
            const bool there = here.rabbit.depth(here.to.queue()) > 0;
            arrived = here.server.number("SELECT " + rows::now);  // after the look: no earlier than it
            return there;
        }));
        CHECK(arrived >= due);
        REQUIRE(here.reaches(1, 1));
        CHECK(support::state_of(here.server, here.table, "much later") == support::row_state{0, 0});
        CHECK(here.rabbit.depth(here.to.queue()) == 1);
    }

    TEST_CASE("a row whose transaction commits long after later ones is sent") {
        support::scene here;
        support::database slow;
        slow.execute("BEGIN");
        rows::put_into(slow, here, "slow", {{"next_try_time", "1000"}});
        const support::relaying relay(support::quick_settings(here.table));
        for (int i = 0; i < 5; ++i) {
            support::insert(here.server, here.table, 100, here.to.exchange(), "key", "later" + std::to_string(i) + "_");
            REQUIRE(here.reaches(1, 100 * (static_cast<std::size_t>(i) + 1)));
        }
        CHECK(here.rabbit.take_all(here.to.queue()).size() == 500);
        slow.execute("COMMIT");
        REQUIRE(here.reaches(1, 501));
        CHECK(ids_in_order(here.rabbit.take_all(here.to.queue())) == strings{"slow"});
    }

    TEST_CASE("a row that was rolled back is never sent") {
        support::scene here;
        support::database application;
        const support::relaying relay(support::quick_settings(here.table));
        for (int i = 0; i < 20; ++i) {
            application.execute("BEGIN");
            rows::put_into(application, here, "rolled back " + std::to_string(i));
            put(here, "committed " + std::to_string(i));
            REQUIRE(here.reaches(1, static_cast<std::size_t>(i) + 1));  // the relay has looked meanwhile
            application.execute("ROLLBACK");
        }
        put(here, "last");
        REQUIRE(here.reaches(1, 21));
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(messages.size() == 21);
        for (const auto& one : messages) CHECK(one.id.find("rolled back") == std::string::npos);
    }

    TEST_CASE("messages of one time are sent in the order of their ids, those of several in the order of time") {
        support::scene here;
        strings expected;
        for (int time = 1; time <= 3; ++time) {
            for (int i = 0; i < 200; ++i) expected.push_back(std::to_string(time) + "-" + std::to_string(1'000 + i));
        }
        for (auto id = expected.rbegin(); id != expected.rend(); ++id)
            put(here, *id, {{"next_try_time", id->substr(0, 1)}});
        CHECK(ids_in_order(rows::relayed(here, 600, [](conf::settings& s) { s.relay.page_rows = 64; })) == expected);
    }
}
