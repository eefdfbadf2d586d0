// Messages that can never be sent: failed at once, with the reason, and without harm to others.

#include <doctest/doctest.h>

#include "test/support/control.hpp"
#include "test/support/relaying.hpp"

using support::eventually;
using support::row_state;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

void insert_large(support::scene& here, const std::string& id, std::size_t size) {
    here.server.execute(here.table.in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('" + id +
                                      "', REPEAT('x', " + std::to_string(size) + "), '" + here.to.exchange() +
                                      "', 'key')"));
}

std::string of_characters(const std::string& character, std::size_t times) {
    std::string text;
    while (times-- > 0) text += character;
    return text;
}

}  // namespace

TEST_SUITE("outcomes: impossible") {
    TEST_CASE("a body over the broker's limit fails at once with the reason, and all others are delivered") {
        support::scene here;
        const support::message_size_limit limit(mebibyte);
        const support::audit audit(here.table);
        support::insert(here.server, here.table, 100, here.to.exchange(), "key", "a");
        insert_large(here, "b-large", mebibyte + 1);
        insert_large(here, "b-fits", mebibyte);
        support::insert(here.server, here.table, 100, here.to.exchange(), "key", "c");

        support::relaying relay(support::quick_settings(here.table));
        REQUIRE(eventually([&] { return here.rows("status <> 0") == 202; }));
        CHECK(support::state_of(here.server, here.table, "b-large") == row_state{2, 0});
        CHECK(support::error_of(here.server, here.table, "b-large").find("1048577") != std::string::npos);
        CHECK(support::error_of(here.server, here.table, "b-large").find("1048576") != std::string::npos);
        CHECK(here.rows("status = 1 AND try_count = 0") == 201);
        CHECK(relay.so_far().warnings == 1);

        // The limit is known now: the next one does not cost the channel.
        insert_large(here, "d-large", 2 * mebibyte);
        REQUIRE(here.reaches(2, 2));
        relay.stop();
        CHECK(relay.so_far().warnings == 1);
        CHECK(support::state_of(here.server, here.table, "d-large") == row_state{2, 0});
        CHECK(audit.updates(here.server) == 203);

        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(support::ids_of(messages).size() == 201);
        CHECK(messages.size() - 201 <= relay.so_far().maybe_sent);
        for (const auto& one : messages) {
            if (one.id == "b-fits") CHECK(one.body.size() == mebibyte);
        }
    }

    TEST_CASE("an exchange or key over 255 bytes fails at once, however few characters it has") {
        support::scene here;
        here.server.execute(here.table.in("ALTER TABLE {} MODIFY routing_key varchar(300) NOT NULL"));
        const auto four_bytes = of_characters("\xF0\x9F\x90\x87", 255);
        support::insert(here.server, here.table, 1, here.to.exchange(), std::string(256, 'k'), "long_key");
        support::insert(here.server, here.table, 1, four_bytes, "key", "wide_exchange");
        support::insert(here.server, here.table, 1, here.to.exchange(), four_bytes, "wide_key");
        support::insert(here.server, here.table, 1, here.to.exchange(), std::string(255, 'k'), "fits");

        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(eventually([&] { return here.rows("status <> 0") == 4; }));

        CHECK(support::state_of(here.server, here.table, "fits1") == row_state{1, 0});
        for (const std::string id : {"long_key1", "wide_exchange1", "wide_key1"}) {
            CAPTURE(id);
            CHECK(support::state_of(here.server, here.table, id) == row_state{2, 0});
            CHECK(support::error_of(here.server, here.table, id).find("AMQP allows 255") != std::string::npos);
        }
        CHECK(support::error_of(here.server, here.table, "wide_exchange1").find("1020 bytes") != std::string::npos);
        CHECK(here.rabbit.depth(here.to.queue()) == 1);
        CHECK(relay.so_far().warnings == 0);
    }

    TEST_CASE("headers that are no object, and properties out of range, fail their row at once") {
        support::scene here;
        support::insert(here.server, here.table, 5, here.to.exchange());
        here.server.execute(here.table.in("UPDATE {} SET headers = '[1, 2]' WHERE id = 'm1'"));
        here.server.execute(here.table.in("UPDATE {} SET headers = '\"text\"' WHERE id = 'm2'"));
        here.server.execute(here.table.in("UPDATE {} SET properties = '{\"priority\": 1000}' WHERE id = 'm3'"));
        here.server.execute(here.table.in("UPDATE {} SET headers = '{\"a\": 1}' WHERE id = 'm4'"));

        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(eventually([&] { return here.rows("status <> 0") == 5; }));

        for (const std::string id : {"m1", "m2", "m3"}) {
            CAPTURE(id);
            CHECK(support::state_of(here.server, here.table, id) == row_state{2, 0});
        }
        CHECK(support::error_of(here.server, here.table, "m1").find("headers") != std::string::npos);
        CHECK(support::error_of(here.server, here.table, "m3").find("priority") != std::string::npos);
        CHECK(here.rows("status = 1 AND try_count = 0") == 2);
        CHECK(here.rabbit.depth(here.to.queue()) == 2);
        CHECK(relay.so_far().impossible == 3);
    }
}
