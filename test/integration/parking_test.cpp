// Messages that no queue wants, with relay.unroutable: park and fail.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>

#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using namespace std::chrono_literals;
using support::eventually;
using support::row_state;
using support::sidecar_process;

namespace {

constexpr auto parked = "status = 0 AND try_count = 0 AND last_error = 'parked: 312 NO_ROUTE'";

/// Messages to amq.topic with a key of the scene's own, which is bound to its queue by wanted().
struct scene : support::scene {
    using support::scene::scene;

    conf::settings settings(std::chrono::milliseconds probe = 1s) const {
        auto all = support::quick_settings(table);
        all.relay.unroutable = conf::unroutable::park;
        all.relay.park_probe = probe;
        return all;
    }
    void put_unwanted(std::size_t count, const std::string& prefix = "u") {
        support::insert(server, table, count, "amq.topic", to.exchange(), prefix);
    }
    void wanted() { rabbit.bind(to.queue(), "amq.topic", to.exchange()); }
    bool all_parked(std::size_t count) {
        return eventually([&] { return rows(parked) == count; }, 60s);
    }
};

}  // namespace

TEST_SUITE("parking") {
    TEST_CASE("fail: a message that no queue wants is given up at once, with the reason") {
        scene here;
        here.put_unwanted(1);
        auto settings = support::quick_settings(here.table);
        settings.relay.unroutable = conf::unroutable::fail;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(2, 1));
        CHECK(support::state_of(here.server, here.table, "u1") == row_state{2, 1});
        CHECK(support::error_of(here.server, here.table, "u1") == "312 NO_ROUTE");
        CHECK(relay.so_far().returned == 1);
    }

    TEST_CASE("park: twenty thousand wait without a try, other keys go on, and all arrive once there is a route") {
        constexpr std::size_t many = 20'000;
        scene here;
        const support::audit audit(here.table);
        here.put_unwanted(many);
        const support::relaying relay(here.settings(30s));
        REQUIRE(here.all_parked(many));
        CHECK(audit.updates(here.server) == many);
        // Few were sent: those on their way when the first came back.
        CHECK(relay.so_far().returned < many / 2);

        support::insert(here.server, here.table, 500, here.to.exchange(), "good", "g");
        here.put_unwanted(500, "v");
        REQUIRE(here.reaches(1, 500));
        REQUIRE(here.all_parked(many + 500));
        CHECK(audit.updates(here.server) == many + 1'000);

        here.wanted();
        REQUIRE(eventually([&] { return here.rows("status = 1") == many + 1'000; }, 120s));
        CHECK(here.rows("try_count > 0") == 0);
        CHECK(support::ids_of(here.rabbit.take_all(here.to.queue())).size() == many + 1'000);
        CHECK(relay.so_far().unknown == 0);
        // Parked, released, delivered: three for each, and the probe's own.
        CHECK(audit.updates(here.server) <= 3 * (many + 500) + 500 + 10);
    }

    TEST_CASE("park: while there is no route, a row is written once in each hold, but for the probe") {
        scene here;
        const support::audit audit(here.table);
        here.put_unwanted(50);
        const support::relaying relay(here.settings(1s));  // the hold is ten seconds
        REQUIRE(here.all_parked(50));
        REQUIRE(eventually([&] { return audit.updates(here.server) >= 52; }));
        CHECK(here.rows(fmt::format("next_try_time = (SELECT MAX(next_try_time) FROM {})", here.table.name())) == 49);
        CHECK(relay.so_far().returned >= 3);
        REQUIRE(eventually([&] { return audit.updates(here.server) >= 2 * 50; }));
        CHECK(audit.updates(here.server) <= 2 * 50 + 15);
        CHECK(here.rows("try_count > 0 OR status <> 0") == 0);
    }

    TEST_CASE("park: a message that the application has put off is not sent before its time") {
        scene here;
        const support::relaying relay(here.settings(1s));
        here.put_unwanted(3);
        REQUIRE(here.all_parked(3));
        // To the same moment as the others of its key.
        here.server.execute(
            fmt::format("INSERT INTO {0} (id, msg, exchange, routing_key, next_try_time) SELECT 'later', '{{}}', "
                        "'amq.topic', '{1}', "
                        "MAX(next_try_time) FROM {0} AS m",
                        here.table.name(), here.to.exchange()));
        here.wanted();
        REQUIRE(here.reaches(1, 3));
        CHECK(support::state_of(here.server, here.table, "later") == row_state{0, 0});
        REQUIRE(here.reaches(1, 4));
    }

    TEST_CASE("park: a restart forgets what is parked, and loses none of it: each comes due by itself") {
        scene here;
        here.put_unwanted(200);
        {
            support::relaying relay(here.settings(1s));
            REQUIRE(here.all_parked(200));
            relay.stop();
        }
        CHECK(here.rows(parked) == 200);
        here.wanted();
        const support::relaying relay(here.settings(1s));
        REQUIRE(here.reaches(1, 200));
        CHECK(here.rows("try_count > 0") == 0);
    }

    TEST_CASE("park: killed with messages parked, and followed by another, none is lost") {
        scene here;
        auto env = support::settings_for(here.table);
        env["OUTBOX_RELAY_UNROUTABLE"] = "park";
        env["OUTBOX_RELAY_PARK_PROBE"] = "1s";
        env["OUTBOX_RELAY_LEASE"] = "1s";
        here.put_unwanted(300);
        {
            sidecar_process first({"run"}, env);
            REQUIRE(first.says("\"event\":\"parked\""));
            first.signal(SIGKILL);
            first.wait();
        }
        sidecar_process second({"run"}, env);
        REQUIRE(here.all_parked(300));
        here.wanted();
        REQUIRE(here.reaches(1, 300));
        CHECK(here.rows("try_count > 0") == 0);
        REQUIRE(second.says("\"event\":\"released\""));
    }

    TEST_CASE("park: in order, a parked message holds up its order_key, and only that") {
        scene here;
        here.server.execute(here.table.in("CREATE INDEX msg_log_order ON {} (order_key, status, create_time, id)"));
        const auto put = [&](const std::string& id, const std::string& key, bool wanted) {
            here.server.execute(fmt::format(
                "INSERT INTO {} (id, msg, exchange, routing_key, order_key) VALUES ('{}', '{{}}', '{}', '{}', '{}')",
                here.table.name(), id, wanted ? here.to.exchange() : "amq.topic", here.to.exchange(), key));
        };
        put("a1", "a", false);
        put("a2", "a", true);
        put("b1", "b", true);
        put("c1", "c", false);
        put("a3", "a", false);
        put("b2", "b", true);
        auto settings = here.settings(1s);
        settings.relay.ordered = true;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(1, 2));
        REQUIRE(here.all_parked(2));
        CHECK(support::state_of(here.server, here.table, "a2") == row_state{0, 0});
        here.wanted();
        REQUIRE(here.reaches(1, 6));
        std::string arrived;
        for (const auto& one : here.rabbit.take_all(here.to.queue())) {
            if (one.id.front() == 'a') arrived += one.id;
        }
        CHECK(arrived == "a1a2a3");
    }

    TEST_CASE("park: --until-empty waits for what is parked") {
        scene here;
        auto env = support::settings_for(here.table);
        env["OUTBOX_RELAY_UNROUTABLE"] = "park";
        env["OUTBOX_RELAY_PARK_PROBE"] = "1s";
        here.put_unwanted(10);
        sidecar_process job({"run", "--until-empty"}, env);
        REQUIRE(job.says("\"event\":\"parked\""));
        REQUIRE(here.all_parked(10));
        here.wanted();
        CHECK(job.wait() == 0);
        CHECK(here.rows("status = 1 AND try_count = 0") == 10);
    }
}
