#include <doctest/doctest.h>

#include <future>

#include "test/contract/table_view.hpp"

namespace {

using contract::make_subject;
using contract::shape;
using contract::sweep;

std::vector<int> all_numbers(outbox::store& store) {
    std::vector<int> numbers;
    for (const auto& one : store.migration_status()) numbers.push_back(one.number);
    return numbers;
}

std::size_t pending(outbox::store& store) {
    std::size_t count = 0;
    for (const auto& one : store.migration_status()) count += one.applied_at ? 0 : 1;
    return count;
}

TEST_CASE("migrating makes the table, says what it did, and does nothing the second time") {
    const auto subject = make_subject(shape::none);
    const auto store = subject->open();
    const auto numbers = all_numbers(*store);
    REQUIRE_FALSE(numbers.empty());
    CHECK(pending(*store) == numbers.size());

    CHECK(store->migrate() == numbers);
    CHECK(pending(*store) == 0);
    CHECK(store->migrate().empty());
    CHECK(subject->open()->migrate().empty());
    CHECK(sweep(*store, 10).empty());  // the same connection works on it at once
}

TEST_CASE("migrations bear numbers that rise and names, and the time at which they were applied, in UTC") {
    const auto subject = make_subject();
    int last = 0;
    const auto now = subject->connect()->text("SELECT " + subject->now());
    for (const auto& one : subject->open()->migration_status()) {
        CHECK(one.number > last);
        last = one.number;
        CHECK_FALSE(one.name.empty());
        REQUIRE(one.applied_at);
        CAPTURE(*one.applied_at);
        CHECK(one.applied_at->size() == std::string("2026-01-31T23:59:59Z").size());
        CHECK(one.applied_at->back() == 'Z');
        CHECK(one.applied_at->at(10) == 'T');
    }
}

TEST_CASE("two that migrate at the same time apply each migration once") {
    for (int round = 0; round < 5; ++round) {
        const auto subject = make_subject(shape::none);
        const auto here = subject->open();
        const auto there = subject->open();
        auto other = std::async(std::launch::async, [&] { return there->migrate().size(); });
        const auto applied = here->migrate().size();
        CHECK(applied + other.get() == all_numbers(*here).size());
        CHECK(pending(*here) == 0);
    }
}

TEST_CASE("the script that a DBA applies by hand makes the same table, and leaves nothing to migrate") {
    const auto migrated = make_subject();
    const auto by_hand = make_subject(shape::none);
    const auto store = by_hand->open();
    const auto script = store->migration_script();
    by_hand->apply_by_hand(script);
    CHECK(by_hand->definition() == migrated->definition());
    CHECK(pending(*store) == 0);
    CHECK(store->migrate().empty());

    by_hand->apply_by_hand(script);  // twice does no harm
    CHECK(by_hand->definition() == migrated->definition());
}

TEST_CASE("the script is had without a server") {
    const auto subject = make_subject(shape::none);
    CHECK_FALSE(outbox::make_store(subject->nowhere(), {})->migration_script().empty());
}

TEST_CASE("migrating keeps the rows of a table that is there") {
    contract::table_view table(shape::nine);
    table.insert(contract::new_row{.id = "kept", .msg = "body"});
    const auto store = table.open();
    store->migrate();
    CHECK(table.of("kept", "msg") == "body");
    CHECK(sweep(*store, 10) == std::vector<std::string>{"kept"});
}

}  // namespace
