// What the broker may say of a message, and what each answer costs its row.

#include <doctest/doctest.h>

#include "test/support/relaying.hpp"

using support::eventually;
using support::row_state;

TEST_SUITE("outcomes") {
    TEST_CASE("a confirmed message is delivered by one UPDATE and no try") {
        support::scene here;
        const support::audit audit(here.table);
        support::insert(here.server, here.table, 1, here.to.exchange(), "orders.created");

        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(here.reaches(1, 1));

        CHECK(support::state_of(here.server, here.table, "m1") == row_state{1, 0});
        CHECK(support::error_of(here.server, here.table, "m1") == "NULL");
        CHECK(audit.updates(here.server, "m1") == 1);
        CHECK(here.rows("update_time >= create_time") == 1);
        const auto message = here.rabbit.get(here.to.queue());
        REQUIRE(message);
        CHECK(message->id == "m1");
        CHECK(message->body == "{\"number\": 1}");
        CHECK(message->exchange == here.to.exchange());
        CHECK(message->routing_key == "orders.created");
        CHECK(message->delivery_mode == 2);
        CHECK(here.rabbit.depth(here.to.queue()) == 0);
    }

    TEST_CASE("twenty thousand messages arrive exactly once and each costs one UPDATE") {
        constexpr std::size_t many = 20'000;
        support::scene here;
        const support::audit audit(here.table);
        support::insert(here.server, here.table, many, here.to.exchange());

        support::relaying relay(support::quick_settings(here.table));
        REQUIRE(here.reaches(1, many));
        relay.stop();

        CHECK(here.rows("try_count = 0 AND last_error IS NULL") == many);
        CHECK(audit.updates(here.server) == many);
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(messages.size() == many);
        CHECK(support::ids_of(messages).size() == many);
        CHECK(relay.so_far().confirmed == many);
        CHECK(relay.so_far().unknown == 0);
        CHECK_MESSAGE(relay.so_far().down == 0, relay.seen().all());
    }

    TEST_CASE("an unroutable message pays one try and waits for its next") {
        support::scene here;
        const support::audit audit(here.table);
        here.rabbit.delete_queue(here.to.queue());
        support::insert(here.server, here.table, 1, here.to.exchange());

        auto settings = support::quick_settings(here.table);
        settings.retry = support::one_try_only();
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return audit.updates(here.server) > 0; }));

        CHECK(support::state_of(here.server, here.table, "m1") == row_state{0, 1});
        CHECK(support::error_of(here.server, here.table, "m1") == "312 NO_ROUTE");
        const auto wait = support::wait_of(here.server, here.table, "m1");
        CHECK(wait > 3'400'000);
        CHECK(wait <= 3'600'000);
        CHECK(audit.updates(here.server) == 1);
        CHECK(relay.so_far().returned == 1);
        CHECK(relay.so_far().confirmed == 0);
    }

    TEST_CASE("an unroutable message fails when its retries are used up, with one UPDATE a try") {
        support::scene here;
        const support::audit audit(here.table);
        here.rabbit.delete_queue(here.to.queue());
        support::insert(here.server, here.table, 1, here.to.exchange());

        auto settings = support::quick_settings(here.table);
        settings.retry.max_retries = 2;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(2, 1));

        CHECK(support::state_of(here.server, here.table, "m1") == row_state{2, 3});
        CHECK(support::error_of(here.server, here.table, "m1") == "312 NO_ROUTE");
        CHECK(audit.updates(here.server) == 3);
        CHECK(relay.so_far().returned == 3);
    }

    TEST_CASE("an unroutable message is delivered once a binding is made") {
        support::scene here;
        here.rabbit.delete_queue(here.to.queue());
        support::insert(here.server, here.table, 1, here.to.exchange());

        auto settings = support::quick_settings(here.table);
        settings.retry.max_retries = 10'000;
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("try_count >= 2") == 1; }));
        here.rabbit.declare_queue(here.to.queue());
        here.rabbit.bind(here.to.queue(), here.to.exchange(), "#");
        REQUIRE(here.reaches(1, 1));

        CHECK(here.rabbit.depth(here.to.queue()) == 1);
        CHECK(here.rows("try_count = " + std::to_string(relay.so_far().returned)) == 1);
    }

    TEST_CASE("returned messages among delivered ones are told apart") {
        support::scene here;
        here.rabbit.bind(here.to.queue(), "amq.topic", "wanted");
        for (int i = 1; i <= 10; ++i) {
            support::insert(here.server, here.table, 50, "amq.topic", "wanted", "w" + std::to_string(i) + "_");
            support::insert(here.server, here.table, 50, "amq.topic", "unwanted", "u" + std::to_string(i) + "_");
        }

        auto settings = support::quick_settings(here.table);
        settings.retry = support::one_try_only();
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("status = 1 OR try_count > 0") == 1'000; }));

        CHECK(here.rows("id LIKE 'w%' AND status = 1 AND try_count = 0") == 500);
        CHECK(here.rows("id LIKE 'u%' AND status = 0 AND try_count = 1 AND last_error = '312 NO_ROUTE'") == 500);
        CHECK(support::ids_of(here.rabbit.take_all(here.to.queue())).size() == 500);
        CHECK(relay.so_far().down == 0);
    }

    TEST_CASE("a refused message pays one try, and is delivered when the queue has room") {
        support::scene here;
        here.rabbit.delete_queue(here.to.queue());
        here.rabbit.declare_queue(here.to.queue(), {{"x-max-length", 1}, {"x-overflow", "reject-publish"}});
        here.rabbit.bind(here.to.queue(), here.to.exchange(), "#");

        auto settings = support::quick_settings(here.table);
        settings.retry.initial = std::chrono::milliseconds(500);
        settings.retry.max_retries = 10'000;
        const support::relaying relay(settings);
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "fills");
        REQUIRE(here.reaches(1, 1));
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "late");
        REQUIRE(eventually([&] { return here.rows("try_count = 1") == 1; }));
        CHECK(support::error_of(here.server, here.table, "late1").find("nack") == 0);
        CHECK(here.rows("id = 'late1' AND status = 0 AND next_try_time - update_time = 500") == 1);

        REQUIRE(here.rabbit.get(here.to.queue()));
        REQUIRE(here.reaches(1, 2));
        CHECK(here.rabbit.get(here.to.queue())->id == "late1");
        CHECK(here.rows("id = 'late1' AND try_count = " + std::to_string(relay.so_far().refused)) == 1);
        CHECK(support::state_of(here.server, here.table, "fills1") == row_state{1, 0});
    }
}
