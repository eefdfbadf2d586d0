// Producers that insert with a time ahead, publish by themselves and mark the row, beside the sidecar, which sends what
// that missed.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>

#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

namespace {

/// How far a producer gets with a message before it is killed.
enum class ends_after { marking, committing, publishing };

struct producer {
    support::scene& here;

    void insert(const std::string& id) const {
        here.server.execute(
            fmt::format("INSERT INTO {} (id, msg, exchange, routing_key, next_try_time) VALUES ('{}', 'body', '{}', "
                        "'key', (UNIX_TIMESTAMP() + 3600) * 1000)",
                        here.table.name(), id, here.to.exchange()));
    }
    void mark(const std::string& id) const {
        here.server.execute(fmt::format(
            "UPDATE {} SET status = 1, update_time = UNIX_TIMESTAMP() * 1000 WHERE id = '{}' AND status = 0",
            here.table.name(), id));
    }
    void produce(const std::string& id, ends_after last, bool consumed_at_once = false) const {
        insert(id);
        if (last == ends_after::committing) return;
        here.rabbit.publish(here.to.exchange(), "key", "body", id);
        if (consumed_at_once) consume(id);
        if (last == ends_after::marking) mark(id);
    }
    void consume(const std::string& id) const {
        here.server.execute(
            fmt::format("UPDATE {} SET status = 3 WHERE id = '{}' AND status IN (0, 1)", here.table.name(), id));
    }
};

}  // namespace

TEST_SUITE("producers that publish by themselves") {
    TEST_CASE("what they missed the sidecar sends when its time comes, and it leaves the rest to them") {
        constexpr int each = 20;
        support::scene here;
        support::relaying relay(support::quick_settings(here.table));
        const producer shop{here};
        for (int i = 0; i < each; ++i) {
            shop.produce(fmt::format("marked{}", i), ends_after::marking);
            shop.produce(fmt::format("committed{}", i), ends_after::committing);
            shop.produce(fmt::format("published{}", i), ends_after::publishing);
            shop.produce(fmt::format("consumed{}", i), ends_after::marking, true);
        }
        here.server.execute("START TRANSACTION");
        shop.insert("rolled back");
        here.server.execute("ROLLBACK");

        CHECK(here.rows("status = 0") == 2 * each);
        CHECK(here.rows("status = 1") == each);
        CHECK(here.rows("status = 3") == each);  // marking came after the receipt, and left it
        CHECK(support::holds_for(1s, [&] { return relay.so_far().confirmed == 0; }));

        // The hour passes.
        here.server.execute(here.table.in("UPDATE {} SET next_try_time = next_try_time - 3600000 WHERE status = 0"));
        REQUIRE_MESSAGE(here.reaches(1, 3 * each), relay.seen().all());
        CHECK(here.rows("status = 3") == each);
        CHECK(here.rows("try_count = 0") == 4 * each);
        relay.stop();
        CHECK(relay.so_far().confirmed == 2 * each);

        std::map<std::string, int> copies;
        for (const auto& message : here.rabbit.take_all(here.to.queue())) {
            CHECK(message.body == "body");
            ++copies[message.id];
        }
        CHECK(copies.size() == 4 * each);
        for (const auto& [id, count] : copies) {
            CAPTURE(id);
            CHECK(count == (id.starts_with("published") ? 2 : 1));
        }
    }

    TEST_CASE("one that is slower than the time it took for itself makes a copy, and undoes nothing") {
        support::scene here;
        support::relaying relay(support::quick_settings(here.table));
        const producer shop{here};
        shop.insert("slow");
        here.server.execute(here.table.in("UPDATE {} SET next_try_time = 0"));  // its time is over
        REQUIRE(here.reaches(1, 1));
        here.rabbit.publish(here.to.exchange(), "key", "body", "slow");
        shop.consume("slow");
        shop.mark("slow");
        CHECK(here.rows("status = 3") == 1);
        const auto messages = here.rabbit.take_all(here.to.queue());
        CHECK(messages.size() == 2);
        CHECK(support::ids_of(messages) == std::set<std::string>{"slow"});
    }
}
