// An exchange that is not there, or not for us: the broker then closes the channel under all that is on its way.

#include <doctest/doctest.h>

#include "test/support/control.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

TEST_SUITE("outcomes: exchanges") {
    TEST_CASE("an unknown exchange in a burst to a good one costs only its own rows a try") {
        support::scene here;
        const support::audit audit(here.table);
        for (int i = 1; i <= 40; ++i) {
            const auto number = std::to_string(i);
            support::insert(here.server, here.table, 50, here.to.exchange(), "key", "good" + number + "_");
            support::insert(here.server, here.table, 1, support::unique_name("missing"), "key", "bad" + number + "_");
        }

        auto settings = support::quick_settings(here.table);
        settings.retry = support::one_try_only();
        const auto began = std::chrono::steady_clock::now();
        support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("status = 1 OR try_count > 0") == 2'040; }));
        CHECK(std::chrono::steady_clock::now() - began < 8s);  // asking for an exchange takes a round trip, no more
        relay.stop();

        CHECK(here.rows("id LIKE 'good%' AND status = 1 AND try_count = 0") == 2'000);
        CHECK(here.rows("id LIKE 'bad%' AND status = 0 AND try_count = 1 AND last_error LIKE '404 NOT_FOUND%'") == 40);
        CHECK(audit.updates(here.server) == 2'040);
        // The exchange is asked for before anything is sent there, so no channel is lost and nothing sent twice.
        CHECK(relay.so_far().unknown == 0);
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(messages.size() == 2'000);
        CHECK(support::ids_of(messages).size() == 2'000);
    }

    TEST_CASE("an exchange that comes while its rows wait gets them") {
        support::scene here;
        const auto late = support::unique_name("late");
        support::insert(here.server, here.table, 3, late);

        auto settings = support::quick_settings(here.table);
        settings.retry.max_retries = 10'000;
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("try_count > 0") == 3; }));
        here.rabbit.declare_exchange(late);
        here.rabbit.bind(here.to.queue(), late, "#");
        CHECK(here.reaches(1, 3));
        CHECK(here.rabbit.depth(here.to.queue()) == 3);
        here.rabbit.delete_exchange(late);
    }

    TEST_CASE("an exchange deleted in mid-burst costs only its own rows a try") {
        constexpr std::size_t each = 5'000;
        support::scene here;
        const support::route doomed(here.rabbit);
        support::insert(here.server, here.table, each, here.to.exchange(), "key", "good");
        support::insert(here.server, here.table, each, doomed.exchange(), "key", "bad");
        // By turns: the first good one, the first bad one, the second good one …
        here.server.execute(here.table.in("UPDATE {} SET next_try_time = SUBSTRING(id, IF(id LIKE 'good%', 5, 4))"));
        const support::audit audit(here.table);

        auto settings = support::quick_settings(here.table);
        settings.retry = support::one_try_only();
        settings.relay.window = 200;
        support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("id LIKE 'bad%' AND status = 1") >= 100; }));
        here.rabbit.delete_exchange(doomed.exchange());
        REQUIRE(eventually([&] { return here.rows("status = 1 OR try_count > 0") == 2 * each; }));
        relay.stop();

        CHECK(here.rows("id LIKE 'good%' AND status = 1 AND try_count = 0") == each);
        const auto before = here.rows("id LIKE 'bad%' AND status = 1 AND try_count = 0");
        CHECK(before < each);
        // From RabbitMQ 4.3 on, the bindings go a moment before the exchange itself: whoever comes between is returned.
        CHECK(
            here.rows("id LIKE 'bad%' AND status = 0 AND try_count = 1 AND (last_error LIKE '404 %' OR last_error LIKE "
                      "'312 %')") == each - before);
        CHECK(audit.updates(here.server) == 2 * each);
        CHECK(relay.seen().warned_of("closed the channel: 404"));
        CHECK(relay.so_far().down == 0);
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(support::ids_of(messages).size() == each);
        CHECK(messages.size() - each <= relay.so_far().maybe_sent);
        CHECK(support::ids_of(here.rabbit.take_all(doomed.queue())).size() >= before);
    }

    TEST_CASE("an exchange that the account may not write to costs its rows one try, with the broker's words") {
        support::scene here;
        const support::route forbidden(here.rabbit, nlohmann::json::object(), "forbidden");
        const support::broker_account account("secret", "^it_.*");
        support::insert(here.server, here.table, 500, here.to.exchange(), "key", "good");
        support::insert(here.server, here.table, 5, forbidden.exchange(), "key", "bad");

        auto settings = support::quick_settings(here.table);
        settings.broker.urls = {account.url("secret")};
        settings.retry = support::one_try_only();
        support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("status = 1 OR try_count > 0") == 505; }));
        relay.stop();

        CHECK(here.rows("id LIKE 'good%' AND status = 1 AND try_count = 0") == 500);
        CHECK(here.rows("id LIKE 'bad%' AND status = 0 AND try_count = 1 AND last_error LIKE '403 ACCESS_REFUSED%'") ==
              5);
        CHECK(support::ids_of(here.rabbit.take_all(here.to.queue())).size() == 500);
        CHECK(here.rabbit.depth(forbidden.queue()) == 0);
    }
}
