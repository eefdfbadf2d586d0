// Leases: who relays which lane, changed by one sidecar at a time.
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <limits>

#include "test/contract/table_view.hpp"

namespace {

using contract::make_subject;
using contract::shape;
using contract::table_view;
using outbox::lease;
using outbox::lease_table;
using leases = std::vector<lease>;

lease owned(unsigned lane, std::string owner, std::int64_t epoch = 1) {
    return {.lane = lane, .lanes = 2, .owner = std::move(owner), .epoch = epoch, .expires = 1000, .wanted_by = ""};
}

lease_table become(outbox::store& store, leases what) {
    return store.change_leases([&](const lease_table&) { return what; });
}

// Again when another one held the lock for too long, as on a slow machine.
lease_table insist(outbox::store& store, const std::function<leases(const lease_table&)>& decide) {
    for (int attempt = 0;; ++attempt) {
        try {
            return store.change_leases(decide);
        } catch (const outbox::store_busy&) {
            if (attempt == 20) throw;
        }
    }
}

TEST_CASE("where nobody has taken a lane there are no leases, but there is a clock") {
    table_view table;
    const auto store = table.open();
    CHECK(store->has_leases());
    const auto before = table.now();
    const auto read = store->read_leases();
    CHECK(read.leases.empty());
    CHECK(read.now >= before);
    CHECK(read.now <= table.now());
    const auto stands = store->change_leases([&](const lease_table& seen) {
        CHECK(seen.leases.empty());
        CHECK(seen.now >= before);
        return leases{};
    });
    CHECK(stands.leases.empty());
    CHECK(store->read_leases().leases.empty());
}

TEST_CASE("leases are what they were made to be, in the order of their lanes, for everyone") {
    table_view table;
    const auto store = table.open();
    const auto other = table.open();
    lease extreme = owned(1, "b", std::numeric_limits<std::int64_t>::max());
    extreme.expires = std::numeric_limits<std::int64_t>::max();
    extreme.wanted_by = "c";
    const leases two = {owned(0, "a"), extreme};
    const auto stands = become(*store, {extreme, owned(0, "a")});
    CHECK(stands.leases == two);
    CHECK(store->read_leases().leases == two);
    CHECK(other->read_leases().leases == two);

    // The next one sees them, changes one, drops one and adds one.
    lease changed = owned(0, "", 2);
    changed.wanted_by = "z";
    other->change_leases([&](const lease_table& seen) {
        CHECK(seen.leases == two);
        return leases{changed, owned(7, "d")};
    });
    CHECK(store->read_leases().leases == leases{changed, owned(7, "d")});
    become(*store, {});
    CHECK(other->read_leases().leases.empty());
}

TEST_CASE("leases that stay as they are can be written again and again") {
    table_view table;
    const auto store = table.open();
    const leases two = {owned(0, "a"), owned(1, "b")};
    for (int i = 0; i < 3; ++i) CHECK(become(*store, two).leases == two);
    CHECK(store->read_leases().leases == two);
}

TEST_CASE("of two that change leases at the same time, each sees what the other has done") {
    table_view table;
    constexpr int each = 60;
    const auto count = [&] {
        const auto store = table.open();
        for (int i = 0; i < each; ++i) {
            insist(*store, [](const lease_table& seen) {
                auto next = seen.leases;
                if (next.empty()) next.push_back(owned(0, "", 0));
                ++next.front().epoch;
                return next;
            });
        }
    };
    auto other = std::async(std::launch::async, count);
    count();
    other.get();
    const auto read = table.open()->read_leases();
    REQUIRE(read.leases.size() == 1);
    CHECK(read.leases.front().epoch == 2 * each);
}

TEST_CASE("the first of all are also taken one after the other") {
    for (int round = 0; round < 10; ++round) {
        table_view table;
        const auto take = [&](const std::string& who) {
            const auto store = table.open();
            return insist(*store,
                          [&](const lease_table& seen) {
                              return seen.leases.empty() ? leases{owned(0, who)} : seen.leases;
                          })
                .leases;
        };
        auto other = std::async(std::launch::async, take, "a");
        const auto here = take("b");
        CHECK(here == other.get());
    }
}

TEST_CASE("who waited for another one's change is told the time at which the waiting ended") {
    table_view table;
    const auto store = table.open();
    const auto waiting = table.open();
    waiting->read_leases();
    std::future<outbox::epoch_ms> seen;
    outbox::epoch_ms ended = 0;
    become(*store, {});
    store->change_leases([&](const lease_table& first) {
        seen = std::async(std::launch::async,
                          [&] { return insist(*waiting, [](const lease_table& now) { return now.leases; }).now; });
        while ((ended = table.now()) < first.now + 200) {
        }
        return first.leases;
    });
    CHECK(seen.get() >= ended);
}

TEST_CASE("what decide throws is passed on, and nothing has changed") {
    table_view table;
    const auto store = table.open();
    struct no_decision {};
    CHECK_THROWS_AS(store->change_leases([](const lease_table&) -> leases { throw no_decision(); }), no_decision);
    CHECK(store->read_leases().leases.empty());
    become(*store, {owned(0, "a")});
    CHECK_THROWS_AS(store->change_leases([](const lease_table&) -> leases { throw no_decision(); }), no_decision);
    CHECK(table.open()->read_leases().leases == leases{owned(0, "a")});
    CHECK(become(*store, {owned(0, "b")}).leases == leases{owned(0, "b")});  // no lock was left behind
}

TEST_CASE("leases that the database refuses leave all others as they were") {
    table_view table;
    const auto store = table.open();
    become(*store, {owned(0, "a")});
    CHECK_THROWS_AS(become(*store, {owned(0, "b"), owned(1, "b"), owned(1, "c")}), outbox::store_error);
    CHECK(store->read_leases().leases == leases{owned(0, "a")});
}

TEST_CASE("while somebody holds the lock, a change is busy, nobody is asked, and reading goes on") {
    table_view table;
    const auto store = table.open();
    become(*store, {owned(0, "a")});
    const auto holder = table.on().connect();
    holder->execute("BEGIN");
    holder->execute("UPDATE msg_lane SET lanes = 3 WHERE table_name = " + table.on().text(table.on().table()));
    bool asked = false;
    CHECK_THROWS_AS(store->change_leases([&](const lease_table& seen) {
        asked = true;
        return seen.leases;
    }),
                    outbox::store_busy);
    CHECK_FALSE(asked);
    CHECK(store->read_leases().leases == leases{owned(0, "a")});
    holder->execute("ROLLBACK");
    CHECK(become(*store, {owned(0, "b")}).leases == leases{owned(0, "b")});
}

TEST_CASE("a connection that is lost in the middle of a change leaves all as it was, and the next change works") {
    for (const bool changes : {true, false}) {
        table_view table;
        become(*table.open(), {owned(0, "a")});
        const auto store = table.open();
        const auto cut = table.on().cutter(*store);
        if (!cut) return;
        int asked = 0;
        CHECK_THROWS_AS(store->change_leases([&](const lease_table& seen) {
            ++asked;
            cut();
            return changes ? leases{owned(0, "b")} : seen.leases;
        }),
                        outbox::store_unavailable);
        CHECK(asked == 1);
        CHECK(store->read_leases().leases == leases{owned(0, "a")});
        CHECK(become(*store, {owned(0, "c")}).leases == leases{owned(0, "c")});
    }
}

TEST_CASE("a lost connection is said to be unavailable when leases are read, and the next call connects again") {
    table_view table;
    const auto store = table.open();
    const auto cut = table.on().cutter(*store);
    if (!cut) return;
    cut();
    CHECK_THROWS_AS(store->read_leases(), outbox::store_unavailable);
    CHECK(store->read_leases().leases.empty());
}

TEST_CASE("without the table msg_lane there are no leases to be had, and as soon as it is there, there are") {
    table_view table(shape::nine);
    const auto store = table.open();
    table.execute("DROP TABLE IF EXISTS msg_lane");
    for (int i = 0; i < 2; ++i) CHECK_FALSE(store->has_leases());
    CHECK_THROWS_AS(store->read_leases(), outbox::store_error);
    CHECK_THROWS_AS(become(*store, {owned(0, "a")}), outbox::store_error);
    CHECK(store->due({}, 10).complete);  // what needs no leases works

    table.open()->migrate();
    CHECK(store->has_leases());
    CHECK(become(*store, {owned(0, "a")}).leases == leases{owned(0, "a")});
    CHECK(store->read_leases().leases == leases{owned(0, "a")});
}

TEST_CASE("outboxes beside each other don't see each other's leases") {
    table_view one, other;
    const auto here = one.open();
    const auto there = other.open();
    become(*here, {owned(0, "a"), owned(1, "a")});
    CHECK(there->read_leases().leases.empty());
    become(*there, {owned(0, "b")});
    become(*here, {owned(1, "a", 5)});
    CHECK(here->read_leases().leases == leases{owned(1, "a", 5)});
    CHECK(there->read_leases().leases == leases{owned(0, "b")});
}

TEST_CASE("any name of an owner comes back as it went in") {
    table_view table;
    const auto store = table.open();
    const std::vector<std::string> names = {
        "o'brien\"; DROP TABLE msg_lane; --",
        "back\\slash\\",
        "%_*?",
        "{}",
        " spaces around ",
        "NULL",
        "строка \U0001F600 \u00e9 e\u0301",
        std::string(255, 'x'),
        "new\nline\ttab",
        "A",
        "a",
    };
    leases all;
    for (unsigned lane = 0; lane < names.size(); ++lane) {
        all.push_back(owned(lane, names[lane]));
        all.back().wanted_by = names[names.size() - 1 - lane];
    }
    become(*store, all);
    CHECK(store->read_leases().leases == all);
    become(*store, {owned(9, "A ")});  // differs from "A" in nothing but a space
    CHECK(store->read_leases().leases == leases{owned(9, "A ")});
}

}  // namespace
