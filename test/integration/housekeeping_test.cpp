// The end of a row and the end of the process: draining, purging, deleting what was delivered.

#include <doctest/doctest.h>

#include "outbox/store.hpp"
#include "relay/purger.hpp"
#include "test/support/control.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

namespace {

/// 1,000 rows of each status that were changed 10 days ago, and one each that was changed just now.
void insert_history(support::scene& here) {
    for (int status = 0; status <= 3; ++status) {
        const auto prefix = "s" + std::to_string(status) + "_";
        support::insert(here.server, here.table, 1'000, "", "nowhere", prefix + "old");
        support::insert(here.server, here.table, 1, "", "nowhere", prefix + "new");
        here.server.execute(
            here.table.in("UPDATE {} SET status = " + std::to_string(status) + " WHERE id LIKE '" + prefix + "%'"));
    }
    here.server.execute(here.table.in("UPDATE {} SET update_time = update_time - 10 * 86400000 WHERE id LIKE '%old%'"));
}

relay::purge_report purge(const support::scene& here, const conf::purge& settings) {
    const auto store = outbox::make_store(here.table.settings(), {});
    const auto preview = relay::purge_preview(*store, settings);
    const auto report = relay::purge_once(*store, settings, [](auto) { return true; });
    REQUIRE(preview.lines.size() == report.lines.size());
    for (std::size_t i = 0; i < report.lines.size(); ++i) CHECK(preview.lines[i].rows == report.lines[i].rows);
    return report;
}

}  // namespace

TEST_SUITE("housekeeping") {
    TEST_CASE("a stop in mid-burst settles all that is on its way: nothing is published twice after a restart") {
        constexpr std::size_t total = 20'000;
        support::scene here;
        auto settings = support::quick_settings(here.table);
        settings.relay.window = 500;
        support::insert(here.server, here.table, total, here.to.exchange());
        for (int run = 0; run < 3; ++run) {
            support::relaying relay(settings);
            REQUIRE(eventually([&] { return relay.so_far().confirmed >= 500; }));
            const auto farewell = relay.stop();
            CHECK(farewell.in_flight > 0);
            CHECK(farewell.unconfirmed == 0);
            CHECK(farewell.unsettled == 0);
            CHECK(relay.so_far().unknown == 0);
            CHECK(here.rows("status = 1") == here.rabbit.depth(here.to.queue()));
        }
        CHECK(here.rows("status = 0") > 0);
        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(here.reaches(1, total));
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(messages.size() == total);
        CHECK(support::ids_of(messages).size() == total);
    }

    TEST_CASE("a stop gives up at its deadline when the broker does not answer, and says so") {
        support::scene here;
        support::database root(support::database::account::root);
        auto settings = support::quick_settings(here.table);
        settings.relay.drain_timeout = 1s;
        support::relaying relay(settings);
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));
        support::paused_broker pause;
        support::insert(here.server, here.table, 5, here.to.exchange());
        REQUIRE(support::read_by_now(root));
        const auto farewell = relay.stop();
        pause.end();
        CHECK(farewell.in_flight == 5);
        CHECK(farewell.unconfirmed == 5);
        CHECK(farewell.took < 20s);
        CHECK(here.rows("status = 0 AND try_count = 0") == 5);
    }

    TEST_CASE("a purge deletes what is older than its retention, never undelivered rows, failed ones only if told") {
        support::scene here;
        insert_history(here);
        conf::purge settings;
        settings.delivered = settings.consumed = std::chrono::days(7);
        settings.batch_rows = 300;

        const auto report = purge(here, settings);
        CHECK(report.complete);
        REQUIRE(report.lines.size() == 2);
        CHECK(report.lines[0].rows == 1'000);
        CHECK(report.lines[1].rows == 1'000);
        CHECK(here.rows("status = 0") == 1'001);
        CHECK(here.rows("status = 1") == 1);
        CHECK(here.rows("status = 2") == 1'001);
        CHECK(here.rows("status = 3") == 1);

        settings.failed = std::chrono::days(7);
        purge(here, settings);
        CHECK(here.rows("status = 0") == 1'001);
        CHECK(here.rows("status = 2") == 1);
        CHECK(here.rows("id LIKE '%new%'") == 4);
    }

    TEST_CASE("a purge that is told to stop does so after its batch, and says so") {
        support::scene here;
        insert_history(here);
        conf::purge settings;
        settings.delivered = std::chrono::days(7);
        settings.batch_rows = 100;
        const auto store = outbox::make_store(here.table.settings(), {});
        const auto report = relay::purge_once(*store, settings, [](auto) { return false; });
        CHECK_FALSE(report.complete);
        CHECK(here.rows("status = 1") == 901);
    }

    TEST_CASE("with after_delivery: delete, a delivered row is gone, and only a delivered one") {
        support::scene here;
        support::insert(here.server, here.table, 500, here.to.exchange());
        support::insert(here.server, here.table, 3, support::unique_name("missing"), "key", "bad");
        auto settings = support::quick_settings(here.table);
        settings.relay.after_delivery = conf::after_delivery::remove;
        settings.retry = support::one_try_only();
        support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("TRUE") == 3 && here.rows("try_count = 1") == 3; }));
        relay.stop();
        CHECK(here.rows("id LIKE 'bad%' AND status = 0") == 3);
        CHECK(support::ids_of(here.rabbit.take_all(here.to.queue())).size() == 500);
    }
}
