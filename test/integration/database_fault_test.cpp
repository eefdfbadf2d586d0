// The database goes, comes back, or refuses for a while. What the broker has confirmed is kept until it is recorded.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "test/support/control.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

namespace {

constexpr auto database_may_take = 90s;

/// Every row is delivered, without a try, and none was sent twice.
void check_delivered_once(support::scene& here, std::size_t rows) {
    support::database again;
    CHECK(support::count(again, here.table, "status = 1 AND try_count = 0") == rows);
    const auto messages = here.rabbit.take_all(here.to.queue());
    CHECK(messages.size() == rows);
    CHECK(support::ids_of(messages).size() == rows);
}

bool all_delivered(const support::table& table, std::size_t rows) {
    return eventually(
        [&] {
            support::database again;
            return support::count(again, table, "status = 1") == rows;
        },
        database_may_take);
}

/// Rows are on their way to the broker, and it has not answered.
struct in_flight {
    static constexpr std::size_t many = 200;

    support::scene here;
    support::database root{support::database::account::root};
    support::relaying relay{support::quick_settings(here.table)};
    std::unique_ptr<support::paused_broker> pause;

    in_flight() {
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));
        pause = std::make_unique<support::paused_broker>();
        support::insert(here.server, here.table, many, here.to.exchange());
        REQUIRE(support::read_by_now(root));
    }

    /// The broker answers, and nobody is there to write it down.
    void confirm_unrecorded() {
        pause->end();
        REQUIRE(eventually([&] { return relay.so_far().confirmed == many + 1; }));
        REQUIRE(eventually([&] { return relay.so_far().settler_down > 0; }));
        CHECK(relay.so_far().settled_asked == 1);
    }
};

}  // namespace

TEST_SUITE("faults of the database") {
    TEST_CASE("connections that an administrator kills in mid-burst are made again; nothing is lost or sent twice") {
        constexpr std::size_t many = 5'000;
        support::scene here;
        support::database root(support::database::account::root);
        support::insert(here.server, here.table, many, here.to.exchange());
        const auto ours = here.server.connection_id();
        support::relaying relay(support::quick_settings(here.table));
        for (std::size_t round = 1; round <= 5; ++round) {
            REQUIRE(eventually([&] { return here.rows("status = 1") >= round * many / 10; }));
            for (const auto& one : root.rows("SELECT id FROM information_schema.processlist WHERE user = 'outbox'")) {
                if (std::stoll(one[0].value()) == ours) continue;
                try {
                    root.execute("KILL " + one[0].value());
                } catch (const std::runtime_error&) {
                    // It has gone by itself.
                }
            }
        }
        REQUIRE(all_delivered(here.table, many));
        CHECK(relay.so_far().reader_down + relay.so_far().settler_down >= 1);
        relay.stop();
        check_delivered_once(here, many);
    }

    TEST_CASE("confirms that come while the database is stopped are recorded when it is back") {
        in_flight test;
        support::outage outage(support::server::mariadb, support::manner::stop);
        test.confirm_unrecorded();
        outage.end();
        REQUIRE(all_delivered(test.here.table, in_flight::many + 1));
        test.relay.stop();
        check_delivered_once(test.here, in_flight::many + 1);
    }

    TEST_CASE("a database killed in mid-burst loses nothing, and nothing is sent twice") {
        constexpr std::size_t many = 5'000;
        support::scene here;
        support::insert(here.server, here.table, many, here.to.exchange());
        support::relaying relay(support::quick_settings(here.table));
        REQUIRE(eventually([&] { return here.rows("status = 1") >= many / 10; }));
        support::outage(support::server::mariadb, support::manner::kill).end();
        REQUIRE(all_delivered(here.table, many));
        relay.stop();
        check_delivered_once(here, many);
    }

    TEST_CASE("a database turned read-only is waited for, and gets what was confirmed meanwhile") {
        struct read_only {
            explicit read_only(support::database& server) : root(server) { root.execute("SET GLOBAL read_only = 1"); }
            ~read_only() { root.execute("SET GLOBAL read_only = 0"); }
            support::database& root;
        };
        in_flight test;
        {
            const read_only now(test.root);
            test.confirm_unrecorded();
            CHECK(test.relay.seen().database_down_for("read-only"));
            CHECK(test.here.rows("status = 0 AND try_count = 0") == in_flight::many);
        }
        REQUIRE(all_delivered(test.here.table, in_flight::many + 1));
        test.relay.stop();
        CHECK(test.relay.so_far().database_errors == 0);
        check_delivered_once(test.here, in_flight::many + 1);
    }

    TEST_CASE("a row that somebody has locked holds up no other, and is recorded when it is free") {
        constexpr std::size_t many = 200;
        support::scene here;
        support::insert(here.server, here.table, many, here.to.exchange());
        support::database other;
        other.execute("START TRANSACTION");
        other.rows(here.table.in("SELECT id FROM {} WHERE id = 'm100' FOR UPDATE"));

        support::relaying relay(support::quick_settings(here.table));
        REQUIRE(eventually([&] { return here.rows("status = 1") == many - 1; }, database_may_take));
        CHECK(here.rows("id = 'm100' AND status = 0 AND try_count = 0") == 1);
        other.execute("ROLLBACK");
        REQUIRE(all_delivered(here.table, many));
        relay.stop();
        check_delivered_once(here, many);
    }

    TEST_CASE("deadlocks are tried again") {
        constexpr std::size_t many = 500;
        support::scene here;
        support::insert(here.server, here.table, many, here.to.exchange());
        // An engine without transactions keeps count, whatever the deadlock takes back.
        const std::string counter = here.table.name() + "_deadlocks";
        here.server.execute("CREATE TABLE " + counter + " (todo int) ENGINE = MyISAM");
        here.server.execute("INSERT INTO " + counter + " VALUES (9)");
        here.server.execute(
            fmt::format("CREATE TRIGGER {0}_trigger BEFORE UPDATE ON {1} FOR EACH ROW BEGIN "
                        "IF (SELECT todo FROM {0}) > 0 THEN UPDATE {0} SET todo = todo - 1; "
                        "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock'; "
                        "END IF; END",
                        counter, here.table.name()));
        support::relaying relay(support::quick_settings(here.table));
        CHECK(all_delivered(here.table, many));
        CHECK(here.server.number("SELECT todo FROM " + counter) == 0);
        relay.stop();
        here.server.execute("DROP TABLE " + counter);
        check_delivered_once(here, many);
    }
}
