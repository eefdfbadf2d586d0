// Retrying from the ledger, and ledgers that are not there or refuse.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <future>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::new_row;
using contract::shape;
using contract::sweep;
using contract::table_view;
using outbox::ledger_retry;
using strings = std::vector<std::string>;

outbox::ledger_entry entry_of(outbox::store& store, const std::string& id) {
    for (const auto& one : store.entries(std::nullopt, 1'000)) {
        if (one.message_id == id) return one;
    }
    FAIL("not filed: ", id);
    return {};
}

TEST_CASE("a retry from the ledger puts the message back, and the entry says so") {
    for (const auto of : {shape::recommended, shape::classic_ledger}) {
        table_view table(of);
        table.insert({.id = "a"});
        const auto store = table.open();
        REQUIRE(store->settle(std::array{failed("a", 4)}) == 1);
        const auto entry = entry_of(*store, "a").id;

        CHECK(store->retry_entry(entry) == ledger_retry::done);
        CHECK(table.status_of("a") == 0);
        CHECK(table.of("a", "try_count") == "0");
        CHECK(table.of("a", "last_error") == "NULL");
        CHECK(sweep(*store, 10) == strings{"a"});
        CHECK(entry_of(*store, "a").retries == 1);
        CHECK(entry_of(*store, "a").last_retry_succeeded);

        CHECK(store->retry_entry(entry) == ledger_retry::not_failed);
        CHECK(entry_of(*store, "a").retries == 2);
        CHECK_FALSE(entry_of(*store, "a").last_retry_succeeded);
        CHECK(table.status_of("a") == 0);
    }
}

TEST_CASE("a retry from the ledger changes a message of status 2 alone, and tells what it found") {
    for (const int status : {0, 1, 2, 3, 99}) {
        CAPTURE(status);
        table_view table;
        table.insert({.id = "a"});
        const auto store = table.open();
        REQUIRE(store->settle(std::array{failed("a", 4)}) == 1);
        table.execute("UPDATE {} SET status = " + std::to_string(status));
        CHECK(store->retry_entry(entry_of(*store, "a").id) ==
              (status == 2 ? ledger_retry::done : ledger_retry::not_failed));
        CHECK(table.status_of("a") == (status == 2 ? 0 : status));
    }
    table_view table;
    table.insert({.id = "a"});
    const auto store = table.open();
    REQUIRE(store->settle(std::array{failed("a", 4)}) == 1);
    table.execute("DELETE FROM {}");
    CHECK(store->retry_entry(entry_of(*store, "a").id) == ledger_retry::gone);
    CHECK(entry_of(*store, "a").retries == 1);
    CHECK_FALSE(entry_of(*store, "a").last_retry_succeeded);
    CHECK(store->retry_entry(-7) == ledger_retry::no_entry);
    CHECK_FALSE(store->payload(-7));
}

TEST_CASE("a failure of the consumer's side is listed and left to the broker") {
    table_view table(shape::classic_ledger);
    table.insert({.id = "a", .status = 2});
    table.execute(
        "INSERT INTO [] (id, message_id, topic, payload, fail_flag, retry, last_retry_status) VALUES "
        "(7, 'a', 'orders', " +
        table.on().blob("body") + ", " + table.on().flag(true) + ", 3, " + table.on().flag(true) + ")");
    const auto store = table.open();
    const auto one = entry_of(*store, "a");
    CHECK(one.id == 7);
    CHECK(one.failed_on == outbox::ledger_entry::side::consumer);
    CHECK(one.retries == 3);
    CHECK(one.last_retry_succeeded);
    CHECK(one.reason.empty());
    CHECK(store->payload(7) == "body");
    CHECK(store->retry_entry(7) == ledger_retry::consumers);
    CHECK(table.status_of("a") == 2);
    CHECK(entry_of(*store, "a").retries == 3);

    // Ours come after what others have filed, also where the others' ids are large.
    table.execute("UPDATE [] SET id = 5000000000000000000");
    table.insert({.id = "b"});
    CHECK(store->settle(std::array{failed("b", 4)}) == 1);
    CHECK(store->entries(std::nullopt, 1).front().message_id == "b");
}

TEST_CASE("of two operators who retry the same entry at once, one is told that it is done") {
    table_view table;
    for (int round = 0; round < 10; ++round) {
        const auto id = "m" + std::to_string(round);
        table.insert({.id = id});
        const auto one = table.open();
        const auto other = table.open();
        REQUIRE(one->settle(std::array{failed(id, 4)}) == 1);
        const auto entry = entry_of(*other, id).id;
        auto theirs = std::async(std::launch::async, [&] { return other->retry_entry(entry); });
        const std::array found{one->retry_entry(entry), theirs.get()};
        CHECK(std::count(found.begin(), found.end(), ledger_retry::done) == 1);
        CHECK(std::count(found.begin(), found.end(), ledger_retry::not_failed) == 1);
        CHECK(entry_of(*one, id).retries == 2);
    }
}

TEST_CASE("the count of retries stops at what its column holds") {
    table_view table(shape::classic_ledger);
    table.insert({.id = "a"});
    const auto store = table.open();
    REQUIRE(store->settle(std::array{failed("a", 4)}) == 1);
    table.execute("UPDATE [] SET retry = 32767");
    CHECK(store->retry_entry(entry_of(*store, "a").id) == ledger_retry::done);
    CHECK(entry_of(*store, "a").retries == 32'767);
}

TEST_CASE("outboxes that share a ledger see and retry their own failures alone") {
    table_view one, other;
    for (auto* table : {&one, &other}) table->insert({.id = "same"});
    const auto ours = one.open();
    const auto theirs = other.open();
    REQUIRE(ours->settle(std::array{failed("same", 4, "ours")}) == 1);
    REQUIRE(theirs->settle(std::array{failed("same", 4, "theirs")}) == 1);
    CHECK(ours->entries(std::nullopt, 10).size() == 1);
    CHECK(entry_of(*ours, "same").reason == "ours");
    const auto entry = entry_of(*theirs, "same").id;
    if (one.on().ledger() != other.on().ledger() || entry == entry_of(*ours, "same").id) return;
    CHECK(ours->retry_entry(entry) == ledger_retry::no_entry);
    CHECK_FALSE(ours->payload(entry));
    CHECK(one.status_of("same") == 2);
    CHECK(other.status_of("same") == 2);
}

TEST_CASE("without a ledger, failures are settled all the same; one that comes later is used at once") {
    table_view table(shape::classic_ledger);
    table.execute("DROP TABLE []");
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}});
    const auto store = table.open();
    CHECK_FALSE(store->has_ledger());
    CHECK(store->entries(std::nullopt, 10).empty());
    CHECK_FALSE(store->payload(1));
    CHECK(store->retry_entry(1) == ledger_retry::no_entry);
    CHECK(store->settle(std::array{failed("a", 4)}) == 1);
    CHECK_FALSE(store->unfiled());

    table.on().apply_by_hand(store->migration_script());
    CHECK(store->settle(std::array{failed("b", 4)}) == 1);
    CHECK(store->has_ledger());
    CHECK(entry_of(*store, "b").reason == "why");
}

TEST_CASE("a table of the ledger's name that is none is left alone") {
    table_view table(shape::classic_ledger);
    table.execute("DROP TABLE []");
    table.execute("CREATE TABLE [] (id int, something int)");
    table.insert({.id = "a"});
    const auto store = table.open();
    CHECK_FALSE(store->has_ledger());
    CHECK(store->settle(std::array{failed("a", 4)}) == 1);
    CHECK(table.number("SELECT COUNT(*) FROM []") == 0);
}

TEST_CASE("a ledger that is dropped meanwhile keeps nobody from being settled, and it is said once") {
    table_view table(shape::classic_ledger);
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}, {.id = "c"}, {.id = "d"}});
    const auto store = table.open();
    CHECK(store->settle(std::array{failed("a", 4)}) == 1);
    table.execute("DROP TABLE []");
    CHECK(store->settle(std::array{failed("b", 4), failed("c", 4)}) == 2);
    CHECK(store->unfiled());
    CHECK(table.statuses() == "2 2 2 0");
    CHECK(table.of("b", "last_error") == "why");
    CHECK(store->settle(std::array{failed("d", 4)}) == 1);
    CHECK_FALSE(store->unfiled());
}

TEST_CASE("a row that the ledger refuses keeps neither itself from being settled nor others from being filed") {
    table_view table(shape::classic_ledger);
    table.execute("CREATE UNIQUE INDEX each_once ON [] (message_id)");
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}, {.id = "c"}, {.id = "d"}});
    const auto store = table.open();
    REQUIRE(store->settle(std::array{failed("b", 4)}) == 1);
    REQUIRE(store->retry(strings{"b"}, false) == 1);
    CHECK(store->settle(std::array{failed("a", 4), failed("b", 4, "again"), failed("c", 4), delivered("d")}) == 4);
    REQUIRE(store->unfiled());
    CHECK(store->unfiled()->find("b") != std::string::npos);
    CHECK(table.statuses() == "2 2 2 1");
    CHECK(table.of("b", "last_error") == "again");
    CHECK(store->entries(std::nullopt, 10).size() == 3);
    CHECK(entry_of(*store, "b").reason == "why");

    CHECK(store->settle(std::array{failed("b", 4)}) == 0);
    CHECK_FALSE(store->unfiled());
}

}  // namespace
