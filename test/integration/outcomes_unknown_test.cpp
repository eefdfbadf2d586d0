// The broker says nothing, or too late, or does not let us in: nobody is to blame, so it costs nothing.

#include <doctest/doctest.h>

#include "test/support/control.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;
using support::row_state;

namespace {

/// More than sockets hold, less than RabbitMQ 4 refuses.
void insert_huge(support::scene& here) {
    here.server.execute(
        here.table.in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('huge', REPEAT('x', "
                      "15000000), '" +
                      here.to.exchange() + "', 'key')"));
}

}  // namespace

TEST_SUITE("outcomes: unknown") {
    TEST_CASE("a broker that does not let us in is waited for, without a word to the table") {
        support::scene here;
        support::database root(support::database::account::root);
        support::broker_account account("right");
        support::insert(here.server, here.table, 10, here.to.exchange());

        auto settings = support::quick_settings(here.table);
        settings.broker.urls = {account.url("wrong")};
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return relay.seen().took_a_lane(); }));
        const auto writes_before = support::writing_statements(root);
        const auto attempts = relay.so_far().down + 5;
        REQUIRE(eventually([&] { return relay.so_far().down >= attempts; }));
        CHECK(relay.seen().broker_down_for("ACCESS_REFUSED"));
        CHECK(support::writing_statements(root) == writes_before);

        account.change_password("wrong");
        REQUIRE(here.reaches(1, 10));
        CHECK(here.rows("try_count = 0") == 10);
        CHECK(here.rabbit.depth(here.to.queue()) == 10);
    }

    TEST_CASE("confirms that do not come in time cost no try, and all is sent again") {
        support::scene here;
        const support::audit audit(here.table);
        auto settings = support::quick_settings(here.table);
        settings.broker.confirm_timeout = 1s;
        settings.broker.connect_timeout = 1s;
        support::relaying relay(settings);
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));

        support::paused_broker pause;
        support::insert(here.server, here.table, 100, here.to.exchange());
        REQUIRE(eventually([&] { return relay.seen().broker_down_for("confirm_timeout"); }));
        REQUIRE(eventually([&] { return relay.so_far().maybe_sent == 100; }));
        CHECK(here.rows("status = 0") == 100);
        pause.end();
        REQUIRE(here.reaches(1, 101));
        relay.stop();

        CHECK(here.rows("try_count = 0") == 101);
        CHECK(audit.updates(here.server) == 101);
        // A duplicate is possible, and foretold: what was sent before the pause's end is still in the socket.
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(support::ids_of(messages).size() == 101);
        CHECK(messages.size() - 101 <= relay.so_far().maybe_sent);
    }

    TEST_CASE("a broker that confirms slowly, but goes on confirming, is not given up") {
        constexpr std::size_t many = 20'000;
        support::scene here;
        auto settings = support::quick_settings(here.table);
        settings.broker.confirm_timeout = 2s;
        settings.relay.window = many;
        support::insert(here.server, here.table, many, here.to.exchange());
        support::relaying relay(settings);
        // It runs for a moment and pauses for longer: what was sent at once is answered bit by bit, most of it late.
        const auto end = std::chrono::steady_clock::now() + 3 * settings.broker.confirm_timeout;
        while (std::chrono::steady_clock::now() < end) {
            const auto before = relay.so_far().confirmed;
            REQUIRE(eventually([&] { return relay.so_far().confirmed > before || before == many; }));
            // Long enough to read on as well: one that only confirms what it had read is rightly given up.
            std::this_thread::sleep_for(50ms);
            const support::paused_broker pause;
            REQUIRE_MESSAGE(support::holds_for(200ms, [&] { return relay.so_far().down == 0; }), relay.seen().all());
        }
        REQUIRE(here.reaches(1, many));
        CHECK(here.rabbit.depth(here.to.queue()) == many);
    }

    TEST_CASE("a broker that takes nothing more in the middle of a message is given up") {
        support::scene here;
        auto settings = support::quick_settings(here.table);
        settings.broker.confirm_timeout = 1s;
        support::relaying relay(settings);
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));

        support::paused_broker pause;
        insert_huge(here);
        REQUIRE(eventually([&] { return relay.so_far().down >= 1; }));
        CHECK(here.rows("id = 'huge' AND status = 0 AND try_count = 0") == 1);
        pause.end();
        REQUIRE(here.reaches(1, 2));
        CHECK(support::state_of(here.server, here.table, "huge") == row_state{1, 0});
    }

    TEST_CASE("a stop ends at its deadline also when the broker holds up a message") {
        support::scene here;
        support::database root(support::database::account::root);
        auto settings = support::quick_settings(here.table);
        settings.relay.drain_timeout = 1s;
        support::relaying relay(settings);
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));

        const support::paused_broker pause;
        insert_huge(here);
        REQUIRE(support::read_by_now(root));
        const auto farewell = relay.stop();
        CHECK(farewell.took < settings.broker.confirm_timeout / 2);
        CHECK(here.rows("id = 'huge' AND status = 0 AND try_count = 0") == 1);
    }

    TEST_CASE("a receipt that overtakes the confirm is not undone by it") {
        support::scene here;
        support::database root(support::database::account::root);
        const support::audit audit(here.table);
        support::relaying relay(support::quick_settings(here.table));
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));

        support::paused_broker pause;
        support::insert(here.server, here.table, 2, here.to.exchange());
        REQUIRE(support::read_by_now(root));
        here.server.execute(here.table.in("UPDATE {} SET status = 3 WHERE id = 'm1'"));
        pause.end();
        REQUIRE(eventually([&] { return relay.so_far().settled_asked == 3; }));

        CHECK(relay.so_far().confirmed == 3);
        CHECK(relay.so_far().settled_changed == 2);
        CHECK(support::state_of(here.server, here.table, "m1") == row_state{3, 0});
        CHECK(support::state_of(here.server, here.table, "m2") == row_state{1, 0});
        CHECK(audit.updates(here.server, "m1") == 1);  // the receipt's
    }

    TEST_CASE("a row deleted while its message is on the way stays deleted, and harms nobody") {
        support::scene here;
        support::database root(support::database::account::root);
        support::relaying relay(support::quick_settings(here.table));
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));

        support::paused_broker pause;
        support::insert(here.server, here.table, 3, here.to.exchange());
        REQUIRE(support::read_by_now(root));
        here.server.execute(here.table.in("DELETE FROM {} WHERE id = 'm2'"));
        pause.end();
        REQUIRE(eventually([&] { return relay.so_far().settled_asked == 4; }));

        CHECK(here.rows("status = 1") == 3);
        CHECK(here.rows("TRUE") == 3);
        CHECK(relay.so_far().database_errors == 0);
    }
}
