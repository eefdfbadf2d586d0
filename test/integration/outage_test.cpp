// The broker goes, comes back, or takes nothing for a while.

#include <doctest/doctest.h>

#include <future>

#include "test/support/control.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

namespace {

/// The broker is away while rows keep coming, in mid-burst both times.
template <class GoAndComeBack>
void survives(GoAndComeBack&& outage) {
    support::scene here;
    support::relaying relay(support::quick_settings(here.table));
    support::burst burst(here.table, here.to.exchange());
    REQUIRE(eventually([&] { return relay.so_far().confirmed >= 500; }));
    outage();
    REQUIRE(eventually([&] { return relay.so_far().up >= 2; }));
    const auto before = relay.so_far().confirmed;
    REQUIRE_MESSAGE(eventually([&] { return relay.so_far().confirmed >= before + 500; }), relay.seen().all());
    const auto total = burst.stop();
    REQUIRE(here.reaches(1, total));
    relay.stop();

    INFO(relay.seen().all());
    CHECK(here.rows("try_count = 0") == total);
    const auto messages = here.rabbit.take_all(here.to.queue());
    CHECK(support::ids_of(messages).size() == total);
    CHECK(messages.size() - total <= relay.so_far().maybe_sent);
    CHECK(relay.so_far().down >= 1);
}

}  // namespace

TEST_SUITE("outages of the broker") {
    TEST_CASE("a broker stopped and started in mid-burst loses nothing and costs no try") {
        survives([] {
            support::ctl("eval 'rabbit:stop(), rabbit:start().'");  // as stop_app and start_app
        });
    }

    TEST_CASE("a broker killed in mid-burst loses nothing and costs no try") {
        survives([] { support::outage(support::server::rabbitmq, support::manner::kill).end(); });
    }

    TEST_CASE("an outage longer than every retry budget still delivers, and writes nothing meanwhile") {
        constexpr std::size_t many = 1'000;
        support::scene here;
        support::database root(support::database::account::root);
        const support::audit audit(here.table);
        auto settings = support::quick_settings(here.table);
        settings.retry.initial = 10ms;
        settings.retry.max_retries = 3;
        support::relaying relay(settings);
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));

        support::outage outage(support::server::rabbitmq, support::manner::stop);
        REQUIRE(eventually([&] { return relay.so_far().down >= 1; }));
        support::insert(here.server, here.table, many, here.to.exchange());
        const auto writes_before = support::writing_statements(root);
        // Each of these attempts follows a pause that is longer than all the retries of a row together.
        const auto attempts = relay.so_far().down + 30;
        REQUIRE(eventually([&] { return relay.so_far().down >= attempts; }));
        CHECK(support::writing_statements(root) == writes_before);
        CHECK(audit.updates(here.server) == 1);
        CHECK(here.rows("status = 0 AND try_count = 0 AND last_error IS NULL") == many);

        outage.end();
        REQUIRE(here.reaches(1, many + 1));
        relay.stop();
        CHECK(here.rows("try_count = 0") == many + 1);
        CHECK(audit.updates(here.server) == many + 1);
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(messages.size() == many + 1);
        CHECK(support::ids_of(messages).size() == many + 1);
    }

    TEST_CASE(
        "while the broker blocks, the relay waits; no try is spent, no confirm is missed, nothing is sent twice") {
        constexpr std::size_t many = 1'000;
        struct memory_alarm {
            memory_alarm() { support::ctl("set_vm_memory_high_watermark 0"); }
            ~memory_alarm() { support::ctl("set_vm_memory_high_watermark 0.4"); }
        };
        support::scene here;
        support::database root(support::database::account::root);
        const support::audit audit(here.table);
        auto settings = support::quick_settings(here.table);
        settings.broker.confirm_timeout = 1s;
        support::relaying relay(settings);
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "first");
        REQUIRE(here.reaches(1, 1));
        {
            const memory_alarm alarm;
            support::insert(here.server, here.table, many, here.to.exchange());
            REQUIRE(eventually([&] { return relay.so_far().blocked == 1; }));
            const auto writes_before = support::writing_statements(root);
            CHECK(support::holds_for(3 * settings.broker.confirm_timeout, [&] { return relay.so_far().down == 0; }));
            CHECK(support::writing_statements(root) == writes_before);
            CHECK(here.rows("status = 0 AND try_count = 0") == many);
        }
        REQUIRE(here.reaches(1, many + 1));
        relay.stop();

        CHECK_MESSAGE(relay.so_far().down == 0, relay.seen().all());
        CHECK(relay.so_far().unblocked == 1);
        CHECK(here.rows("try_count = 0") == many + 1);
        CHECK(audit.updates(here.server) == many + 1);
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(messages.size() == many + 1);
        CHECK(support::ids_of(messages).size() == many + 1);
    }

    TEST_CASE("a broker that comes after the relay has started is found") {
        support::scene here;
        support::outage outage(support::server::rabbitmq, support::manner::stop);
        support::insert(here.server, here.table, 10, here.to.exchange());
        const support::relaying relay(support::quick_settings(here.table));
        REQUIRE(eventually([&] { return relay.so_far().down >= 3; }));
        outage.end();
        CHECK(here.reaches(1, 10));
        CHECK(here.rows("try_count = 0") == 10);
    }
}
