// Rows with values that nobody expects, and rows that somebody changes while they are on their way.

#include <doctest/doctest.h>

#include "outbox/store.hpp"
#include "test/integration/rows.hpp"

using rows::put;
using support::eventually;
using support::row_state;

namespace {

// Holds a row's lock, so that it is sent but can't be settled, until the change is committed.
class change_in_flight {
  public:
    change_in_flight(support::scene& here, const std::string& sql) {
        by_.execute("BEGIN");
        CHECK(by_.execute(here.table.in(sql)) == 1);
    }
    void commit() { by_.execute("COMMIT"); }

  private:
    support::database by_;
};

bool in_queue(support::scene& here, std::size_t messages) {
    return eventually([&] { return here.rabbit.depth(here.to.queue()) == messages; });
}

}  // namespace

TEST_SUITE("rows") {
    TEST_CASE("rows of a status that nobody knows are left alone and counted") {
        support::scene here;
        for (const char* status : {"4", "-1", "99", "2147483647"})
            put(here, std::string("unknown ") + status, {{"status", status}});
        for (const char* status : {"1", "2", "3"}) put(here, std::string("known ") + status, {{"status", status}});
        put(here, "due");
        const auto dump = here.table.in("SELECT * FROM {} WHERE id <> 'due' ORDER BY id");
        const auto before = here.server.rows(dump);
        const auto messages = rows::relayed(here, 2);
        REQUIRE(messages.size() == 1);
        CHECK(messages.front().id == "due");
        CHECK(here.server.rows(dump) == before);
        const auto backlog = outbox::make_store(here.table.settings(), {})->backlog();
        const std::map<int, std::uint64_t> expected{{-1, 1}, {1, 2}, {2, 1}, {3, 1}, {4, 1}, {99, 1}, {2147483647, 1}};
        CHECK(backlog.by_status == expected);
    }

    TEST_CASE("tries that are negative or huge do not keep a row from being delivered") {
        support::scene here;
        for (const char* tries : {"-1", "-2147483648", "3", "4", "2147483647"})
            put(here, std::string("tries ") + tries, {{"try_count", tries}});
        CHECK(rows::relayed(here, 5).size() == 5);
        CHECK(here.rows("id = CONCAT('tries ', try_count)") == 5);
    }

    TEST_CASE("a failing row with negative tries has all its retries, one with huge tries has none") {
        support::scene here;
        const rows::columns nowhere{{"exchange", "'no.such.exchange'"}};
        for (const char* tries : {"-5", "-2147483648", "2147483647", "100"}) {
            auto others = nowhere;
            others["try_count"] = tries;
            put(here, tries, others);
        }
        auto settings = support::quick_settings(here.table);
        settings.retry.max_retries = 1;
        settings.retry.initial = std::chrono::milliseconds(1);
        const support::relaying relay(settings);
        REQUIRE(here.reaches(2, 4));
        CHECK(support::state_of(here.server, here.table, "-5") == row_state{2, 2});
        CHECK(support::state_of(here.server, here.table, "-2147483648") == row_state{2, 2});
        CHECK(support::state_of(here.server, here.table, "100") == row_state{2, 101});
        CHECK(support::state_of(here.server, here.table, "2147483647") == row_state{2, 2147483647});
    }

    TEST_CASE("a row that a consumer settles before its confirm is recorded stays consumed") {
        support::scene here;
        put(here, "a");
        change_in_flight receipt(here, "UPDATE {} SET status = 3 WHERE id = 'a'");
        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(in_queue(here, 1));
        receipt.commit();
        REQUIRE(eventually([&] { return relay.so_far().settled_asked == 1; }));
        CHECK(relay.so_far().settled_changed == 0);
        CHECK(support::state_of(here.server, here.table, "a") == row_state{3, 0});
        CHECK(here.rabbit.depth(here.to.queue()) == 1);
    }

    TEST_CASE("a row that is deleted while it is in flight is no trouble, and others go on") {
        support::scene here;
        put(here, "a");
        change_in_flight deletion(here, "DELETE FROM {} WHERE id = 'a'");
        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(in_queue(here, 1));
        deletion.commit();
        REQUIRE(eventually([&] { return relay.so_far().settled_asked == 1; }));
        put(here, "b");
        REQUIRE(here.reaches(1, 1));
        CHECK(here.rows("TRUE") == 1);
    }

    TEST_CASE("rows that are not locked are settled while one is") {
        support::scene here;
        put(here, "held");
        change_in_flight change(here, "UPDATE {} SET update_time = 1 WHERE id = 'held'");
        for (int i = 0; i < 50; ++i) put(here, "free " + std::to_string(i));
        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(here.reaches(1, 50));
        CHECK(support::state_of(here.server, here.table, "held") == row_state{0, 0});
        change.commit();
        REQUIRE(here.reaches(1, 51));
        CHECK(here.rabbit.depth(here.to.queue()) == 51);  // what waited for its settling was not sent again
    }

    TEST_CASE("a body that is changed while its row is in flight does not undo the delivery") {
        support::scene here;
        put(here, "a", {{"msg", "'before'"}});
        change_in_flight change(here, "UPDATE {} SET msg = 'after' WHERE id = 'a'");
        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(in_queue(here, 1));
        change.commit();
        REQUIRE(here.reaches(1, 1));
        CHECK(here.rabbit.get(here.to.queue())->body == "before");
        CHECK(here.rabbit.depth(here.to.queue()) == 0);
    }

    TEST_CASE("a row that is sent again after its delivery is delivered again") {
        support::scene here;
        put(here, "a");
        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(here.reaches(1, 1));
        here.server.execute(here.table.in("UPDATE {} SET status = 0 WHERE id = 'a' AND status = 1"));
        REQUIRE(in_queue(here, 2));
        REQUIRE(here.reaches(1, 1));
    }

    TEST_CASE("who wants no history finds delivered rows gone, and failed ones kept") {
        support::scene here;
        for (int i = 0; i < 20; ++i) put(here, "good " + std::to_string(i));
        put(here, "bad", {{"exchange", "'no.such.exchange'"}});
        auto settings = support::quick_settings(here.table);
        settings.relay.after_delivery = conf::after_delivery::remove;
        settings.retry.max_retries = 0;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(2, 1));
        REQUIRE(eventually([&] { return here.rows("TRUE") == 1; }));
        CHECK(here.rabbit.depth(here.to.queue()) == 20);
    }
}
