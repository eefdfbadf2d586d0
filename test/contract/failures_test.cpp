// Failures of the consumer's side: filed from dead-letter queues, sent again by hand.
#include <doctest/doctest.h>

#include <array>
#include <future>
#include <stdexcept>

#include "test/contract/table_view.hpp"

namespace {

using contract::shape;
using contract::table_view;
using outbox::consumer_failure;
using outbox::ledger_entry;
using outbox::ledger_resend;

consumer_failure some_failure(const std::string& id = "order-7") {
    consumer_failure one;
    one.message_id = id;
    one.exchange = "orders";
    one.routing_key = "order.created";
    one.headers = R"({"n": 1, "text": "Grüße"})";
    one.properties = R"({"content_type": "text/plain"})";
    one.payload = std::string("a\0b\xff", 4);
    one.reason = "rejected in queue 'q'\nGrüße from " + id;
    one.created = 1'700'000'000;
    return one;
}

ledger_entry latest(outbox::store& store) {
    const auto all = store.entries(std::nullopt, 1);
    REQUIRE(all.size() == 1);
    return all.front();
}

bool never(const consumer_failure&) { throw std::logic_error("nothing is to be sent"); }

TEST_CASE("a failure of the consumer's side is filed whole") {
    for (const auto of : {shape::recommended, shape::classic_ledger}) {
        table_view table(of);
        const auto store = table.open();
        CHECK(store->file_failure(some_failure(), false));
        const auto one = latest(*store);
        CHECK(one.failed_on == ledger_entry::side::consumer);
        CHECK(one.message_id == "order-7");
        CHECK(one.exchange == "orders");
        CHECK(one.routing_key == "order.created");
        CHECK(one.reason == "rejected in queue 'q'\nGrüße from order-7");
        CHECK(one.message_created == "2023-11-14T22:13:20Z");
        CHECK(one.payload_size == 4);
        CHECK(store->payload(one.id) == std::string("a\0b\xff", 4));
        CHECK(one.retries == 0);
        CHECK_FALSE(one.last_retry_succeeded);
        REQUIRE(one.headers);
        CHECK(one.headers->find("Gr") != std::string::npos);
    }
}

TEST_CASE("a failure without an id, without headers, and with nothing in it is filed, too") {
    for (const auto of : {shape::recommended, shape::classic_ledger}) {
        table_view table(of);
        const auto store = table.open();
        consumer_failure bare;
        bare.reason = contract::numbered(1).front() + " bare";
        CHECK(store->file_failure(bare, true));
        const auto one = latest(*store);
        CHECK(one.message_id.empty());
        CHECK(one.payload_size == 0);
        CHECK_FALSE(one.message_created);
        auto long_id = some_failure(std::string(255, 'i'));
        CHECK(store->file_failure(long_id, false));
        CHECK(latest(*store).id > one.id);
    }
}

TEST_CASE("what is perhaps filed already is not filed twice; what only looks like it is") {
    table_view table;
    const auto store = table.open();
    const auto reason = some_failure().reason + table.on().table();
    auto one = some_failure();
    one.reason = reason;
    const auto entries = [&] {
        int count = 0;
        for (const auto& entry : store->entries(std::nullopt, 1'000)) count += entry.reason.starts_with(reason) ? 1 : 0;
        return count;
    };
    CHECK(store->file_failure(one, true));
    CHECK(entries() == 1);
    CHECK(store->file_failure(one, true));
    CHECK(entries() == 1);
    CHECK(store->file_failure(one, false));
    CHECK(entries() == 2);
    one.reason += " later";
    CHECK(store->file_failure(one, true));
    CHECK(entries() == 3);
}

TEST_CASE("without a ledger nothing is filed, and that is said") {
    table_view table(shape::nine);
    if (table.open()->has_ledger()) return;  // one of other tests is beside it
    CHECK_FALSE(table.open()->file_failure(some_failure(), false));
}

TEST_CASE("a failure is sent again as it was filed, and the entry says so") {
    for (const auto of : {shape::recommended, shape::classic_ledger}) {
        table_view table(of);
        const auto store = table.open();
        REQUIRE(store->file_failure(some_failure(), false));
        const auto entry = latest(*store).id;
        CHECK(store->retry_entry(entry) == outbox::ledger_retry::consumers);

        CHECK(store->resend_entry(entry, false, [](const consumer_failure&) { return false; }) ==
              ledger_resend::not_done);
        CHECK(latest(*store).retries == 1);
        CHECK_FALSE(latest(*store).last_retry_succeeded);

        consumer_failure sent;
        const auto send = [&](const consumer_failure& one) {
            sent = one;
            return true;
        };
        CHECK(store->resend_entry(entry, false, send) == ledger_resend::done);
        CHECK(sent.message_id == "order-7");
        CHECK(sent.exchange == "orders");
        CHECK(sent.routing_key == "order.created");
        CHECK(sent.payload == std::string("a\0b\xff", 4));
        CHECK(sent.headers.has_value());
        CHECK(sent.properties.has_value() == (of == shape::recommended));
        CHECK(latest(*store).retries == 2);
        CHECK(latest(*store).last_retry_succeeded);

        CHECK(store->resend_entry(entry, false, never) == ledger_resend::already);
        CHECK(latest(*store).retries == 2);
        CHECK(store->resend_entry(entry, true, send) == ledger_resend::done);
        CHECK(latest(*store).retries == 3);
    }
}

TEST_CASE("nothing is recorded of a sending that failed in another way, nor of a producer's entry") {
    table_view table;
    const auto store = table.open();
    REQUIRE(store->file_failure(some_failure(), false));
    const auto entry = latest(*store).id;
    CHECK_THROWS_AS(store->resend_entry(entry, false, never), std::logic_error);
    CHECK(latest(*store).retries == 0);
    CHECK(store->resend_entry(-7, false, never) == ledger_resend::no_entry);

    table.insert({.id = "a"});
    REQUIRE(store->settle(std::array{contract::failed("a", 4)}) == 1);
    CHECK(store->resend_entry(latest(*store).id, false, never) == ledger_resend::no_entry);
}

TEST_CASE("of two operators who send the same entry again, one does, and the other is told") {
    table_view table;
    const auto one = table.open();
    const auto other = table.open();
    REQUIRE(one->file_failure(some_failure(), false));
    const auto entry = latest(*other).id;
    // While the first is at work, the second waits a while, and is told so; later, that it is done.
    std::promise<void> sending, over;
    auto theirs = std::async(std::launch::async, [&] {
        return one->resend_entry(entry, false, [&](const consumer_failure&) {
            sending.set_value();
            over.get_future().wait();
            return true;
        });
    });
    sending.get_future().wait();
    CHECK_THROWS_AS(other->resend_entry(entry, false, never), outbox::store_busy);
    over.set_value();
    CHECK(theirs.get() == ledger_resend::done);
    CHECK(other->resend_entry(entry, false, never) == ledger_resend::already);
}

}  // namespace
