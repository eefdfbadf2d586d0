// Connections that are lost, locks that are not to be had, tables that are not there.
#include <doctest/doctest.h>

#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::make_subject;
using contract::new_row;
using contract::retry;
using contract::shape;
using contract::sweep;
using contract::table_view;
using strings = std::vector<std::string>;
using namespace std::chrono_literals;

template <class Error, class Call>
std::string what_of(Call&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

bool contains(const std::string& text, const std::string& piece) { return text.find(piece) != text.npos; }

TEST_CASE("a lost connection is said to be unavailable, and the next call connects again") {
    using call = std::function<void(outbox::store&)>;
    const std::array<call, 7> calls{
        [](outbox::store& s) { s.due({}, 10); },
        [](outbox::store& s) {
            outbox::message row;
            row.id = "a";
            s.load_body(row);
        },
        [](outbox::store& s) { s.settle(std::array{retry("a", 1, 0ms)}); },
        [](outbox::store& s) { s.settle(std::array{delivered("gone")}); },
        [](outbox::store& s) { s.purge(outbox::status::consumed, 1h, 10); },
        [](outbox::store& s) { s.backlog(); },
        [](outbox::store& s) { s.migration_status(); },
    };
    table_view table;
    table.insert({.id = "a"});
    for (std::size_t i = 0; i < calls.size(); ++i) {
        CAPTURE(i);
        const auto store = table.open();
        const auto cut = table.on().cutter(*store);
        if (!cut) return;
        cut();
        CHECK_THROWS_AS(calls[i](*store), outbox::store_unavailable);
        CHECK_NOTHROW(calls[i](*store));
        CHECK_NOTHROW(calls[i](*store));
    }
}

TEST_CASE("rows that could not be settled over a lost connection are settled over the next") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}, {.id = "c"}});
    const auto store = table.open();
    const auto cut = table.on().cutter(*store);
    if (!cut) return;
    const std::array batch{delivered("a"), retry("b", 1, 1h), failed("c", 4)};
    cut();
    CHECK_THROWS_AS(store->settle(batch), outbox::store_unavailable);
    CHECK(table.statuses() == "0 0 0");
    CHECK(store->settle(batch) == 3);
    CHECK(table.statuses() == "1 0 2");
}

TEST_CASE("a server that is not there is unavailable, and the password stays out of what is said") {
    const auto store = outbox::make_store(make_subject(shape::none)->nowhere(), {});
    const auto what = what_of<outbox::store_unavailable>([&] { store->due({}, 1); });
    CAPTURE(what);
    CHECK(what != "nothing was thrown");
    CHECK_FALSE(contains(what, "topsecret"));
}

TEST_CASE("while somebody holds a row's lock, a batch with it is busy and changes nothing, and later it goes through") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}, {.id = "c"}});
    const auto store = table.open();
    const auto holder = table.on().connect();
    holder->execute("BEGIN");
    holder->execute(table.on().in("UPDATE {} SET exchange = 'held' WHERE id = 'b'"));

    const std::array mixed{failed("a", 4), delivered("b"), retry("c", 1, 1h)};
    CHECK_THROWS_AS(store->settle(mixed), outbox::store_busy);
    CHECK_THROWS_AS(store->settle(std::array{delivered("a"), delivered("b")}), outbox::store_busy);
    CHECK(table.statuses() == "0 0 0");
    CHECK(table.of("c", "try_count") == "0");
    if (table.on().locks_rows()) CHECK(store->settle(std::array{delivered("a")}) == 1);  // the others are not held up

    holder->execute("ROLLBACK");
    CHECK(store->settle(mixed) == (table.on().locks_rows() ? 2 : 3));
    CHECK(table.statuses() == (table.on().locks_rows() ? "1 1 0" : "2 1 0"));
}

TEST_CASE("settling waits for no row that an application is inserting, and keeps none from inserting") {
    for (const auto after : {conf::after_delivery::keep, conf::after_delivery::remove}) {
        table_view table;
        if (!table.on().locks_rows()) return;
        table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}, {.id = "c"}});
        const auto application = table.on().connect();
        application->execute("BEGIN");
        application->execute(
            table.on().in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('bb', '', '', '')"));
        const auto store = table.open({.after_delivery = after, .role = {}});
        CHECK(store->settle(std::array{delivered("a"), delivered("b")}) == 2);
        CHECK(store->settle(std::array{failed("c", 4)}) == 1);
        application->execute(
            table.on().in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('aa', '', '', '')"));
        application->execute("COMMIT");
        CHECK(sweep(*store, 10).size() == 2);
    }
}

TEST_CASE("a table that is not there is named, with advice, and is used as soon as it is there") {
    const auto subject = make_subject(shape::none);
    const auto store = subject->open();
    for (int i = 0; i < 2; ++i) {
        const auto what = what_of<outbox::store_error>([&] { store->due({}, 10); });
        CAPTURE(what);
        CHECK(contains(what, subject->table()));
        CHECK(contains(what, "migrate"));
    }
    CHECK_THROWS_AS(store->settle(std::array{delivered("a")}), outbox::store_error);
    CHECK_THROWS_AS(store->purge(outbox::status::delivered, 1h, 1), outbox::store_error);
    subject->open()->migrate();
    CHECK(store->due({}, 10).complete);
}

TEST_CASE("columns that are missing are named") {
    table_view table(shape::lacking);
    const auto store = table.open();
    const auto what = what_of<outbox::store_error>([&] { store->due({}, 10); });
    CAPTURE(what);
    CHECK(contains(what, table.on().table()));
    CHECK(contains(what, "routing_key"));
    CHECK(contains(what, "try_count"));
    CHECK_FALSE(contains(what, "next_try_time"));
    CHECK_THROWS_AS(store->settle(std::array{delivered("a")}), outbox::store_error);
}

}  // namespace
