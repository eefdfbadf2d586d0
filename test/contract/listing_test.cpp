// What an operator sees of the table: pages of messages, filtered, the latest change first.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using outbox::list_place;
using outbox::message_filter;
using strings = std::vector<std::string>;

message_filter of_status(int status) {
    message_filter filter;
    filter.status = status;
    return filter;
}

// The ids of all pages, each checked to be no longer than asked for.
strings listed(outbox::store& store, const message_filter& filter = {}, std::size_t limit = 100) {
    strings ids;
    for (std::optional<list_place> at;;) {
        const auto page = store.list(filter, at, limit);
        REQUIRE(page.rows.size() <= limit);
        for (const auto& one : page.rows) ids.push_back(one.id);
        if (!page.next) return ids;
        REQUIRE(page.rows.size() == limit);
        REQUIRE(page.next != at);
        at = page.next;
    }
}

const std::vector<new_row> mixed{{.id = "a", .status = 2, .update_time = 30},
                                 {.id = "b", .status = 0, .update_time = 20},
                                 {.id = "c", .status = 2, .update_time = 20},
                                 {.id = "d", .status = 3, .update_time = 20},
                                 {.id = "e", .status = 2, .update_time = 20},
                                 {.id = "f", .status = 1, .update_time = std::nullopt},
                                 {.id = "g", .status = 2, .update_time = std::nullopt},
                                 {.id = "h", .status = 2, .update_time = std::nullopt},
                                 {.id = "i", .status = 2, .update_time = 0},
                                 {.id = "j", .status = 1, .update_time = 40},
                                 {.id = "k", .status = 42, .update_time = 50}};

TEST_CASE("messages are listed with the latest change first and those without a time last, in pages of any size") {
    for (const auto of : {shape::recommended, shape::nine}) {
        table_view table(of);
        table.insert(mixed);
        const auto store = table.open();
        for (const std::size_t limit : {1, 2, 3, 4, 6, 7, 10, 11, 100}) {
            CAPTURE(limit);
            CHECK(listed(*store, of_status(2), limit) == strings{"a", "e", "c", "i", "h", "g"});
            CHECK(listed(*store, {}, limit) == strings{"j", "a", "e", "d", "c", "b", "i", "h", "g", "f"});
        }
    }
}

TEST_CASE("rows of a status that nobody knows are listed only when it is asked for") {
    table_view table;
    table.insert(mixed);
    const auto store = table.open();
    CHECK(listed(*store, of_status(42)) == strings{"k"});
    CHECK(listed(*store, of_status(-1)).empty());
    CHECK(store->count(of_status(42), 10) == 1);
    CHECK(store->count({}, 100) == 10);
}

TEST_CASE("an empty table has one empty page") {
    table_view table;
    const auto page = table.open()->list({}, std::nullopt, 10);
    CHECK(page.rows.empty());
    CHECK_FALSE(page.next);
}

TEST_CASE("a listed message shows all that its row says") {
    table_view table;
    table.insert(new_row{.id = "a",
                         .status = 2,
                         .next_try_time = 5,
                         .msg = "äöü",
                         .exchange = "ex",
                         .routing_key = "key",
                         .try_count = 4,
                         .create_time = 6,
                         .update_time = 7});
    table.insert(new_row{.id = "b", .status = 2, .next_try_time = std::nullopt, .create_time = std::nullopt});
    table.execute("UPDATE {} SET order_key = 'o', last_error = 'why' WHERE id = 'a'");
    const auto rows = table.open()->list(of_status(2), std::nullopt, 10).rows;
    REQUIRE(rows.size() == 2);
    CHECK(rows[0] == outbox::summary{"a", 2, "ex", "key", 4, 5, 6, 7, "o", "why", 6});
    CHECK(rows[1] == outbox::summary{"b", 2, "orders", "created", 0, {}, {}, 1, {}, {}, 2});
}

TEST_CASE("each condition of a filter holds, alone and with the others") {
    table_view table;
    table.insert(std::vector<new_row>{
        {.id = "a1", .status = 2, .exchange = "x", .routing_key = "k", .update_time = 10},
        {.id = "a2", .status = 2, .exchange = "x", .routing_key = "l", .update_time = 20},
        {.id = "b1", .status = 2, .exchange = "", .routing_key = "k", .update_time = 30},
        {.id = "b2", .status = 1, .exchange = "x", .routing_key = "k", .update_time = 40},
        {.id = "b3", .status = 1, .exchange = "x", .routing_key = "k", .update_time = std::nullopt}});
    table.execute("UPDATE {} SET last_error = '312 NO_ROUTE' WHERE id IN ('a1', 'b1')");
    table.execute("UPDATE {} SET last_error = '404 NOT_FOUND' WHERE id = 'a2'");
    const auto store = table.open();
    const auto check = [&](const message_filter& filter, const strings& expected) {
        CHECK(listed(*store, filter) == expected);
        CHECK(listed(*store, filter, 1) == expected);
        CHECK(store->count(filter, 100) == expected.size());
    };
    message_filter exchange, key, prefix, error, since, before, all;
    exchange.exchange = "x";
    check(exchange, {"b2", "a2", "a1", "b3"});
    exchange.exchange = "";
    check(exchange, {"b1"});
    key.routing_key = "l";
    check(key, {"a2"});
    prefix.id_prefix = "b";
    check(prefix, {"b2", "b1", "b3"});
    error.error = "NO";
    check(error, {"b1", "a2", "a1"});
    error.error = "NO_ROUTE";
    check(error, {"b1", "a1"});
    since.since = 20;
    check(since, {"b2", "b1", "a2"});
    before.before = 20;
    check(before, {"a1"});
    all = {
        .status = 2, .exchange = "x", .routing_key = "k", .id_prefix = "a", .error = "312", .since = 10, .before = 11};
    check(all, {"a1"});
    for (auto change : std::array<void (*)(message_filter&), 7>{
             [](message_filter& f) { f.status = 1; }, [](message_filter& f) { f.exchange = "y"; },
             [](message_filter& f) { f.routing_key = "l"; }, [](message_filter& f) { f.id_prefix = "b"; },
             [](message_filter& f) { f.error = "404"; }, [](message_filter& f) { f.since = 11; },
             [](message_filter& f) { f.before = 10; }}) {
        auto but_one = all;
        change(but_one);
        check(but_one, {});
    }
}

TEST_CASE("without a column for errors nothing matches an error, and all else is listed") {
    table_view table(shape::nine);
    table.insert({.id = "a", .status = 2});
    const auto store = table.open();
    message_filter filter = of_status(2);
    CHECK(listed(*store, filter) == strings{"a"});
    filter.error = "a";
    CHECK(listed(*store, filter).empty());
    CHECK(store->count(filter, 10) == 0);
}

TEST_CASE("what is looked for is no pattern, and is compared byte by byte") {
    strings texts{"%",  "_",  "\\",    "\\%", "'",        "\"", "' OR 1 = 1 -- ",    "a%b", "a_b", "a\\b", "axb",
                  "AB", "ab", "ab c ", "äb",  "a\u0308b", "😀",  "😀🏴‍☠️", "😁"};
    table_view table;
    if (table.on().holds_nul()) texts.emplace_back("nul\0in", 6);
    for (const auto& text : texts) {
        table.insert({.id = text, .status = 2, .exchange = text, .routing_key = text});
        table.execute("UPDATE {} SET last_error = " + table.on().text("-" + text + "-") +
                      " WHERE id = " + table.on().text(text));
    }
    const auto store = table.open();
    // Whatever is asked for, the answer is that of a comparison of bytes.
    const auto asked = [&](const std::string& what) {
        CAPTURE(what);
        const auto matching = [&](auto&& matches) {
            strings ids;
            std::copy_if(texts.begin(), texts.end(), std::back_inserter(ids), matches);
            std::sort(ids.begin(), ids.end());
            return ids;
        };
        const auto found = [&](message_filter filter) {
            filter.status = 2;
            auto ids = listed(*store, filter, 7);
            std::sort(ids.begin(), ids.end());
            CHECK(store->count(filter, 100) == ids.size());
            return ids;
        };
        message_filter exchange, key, prefix, error;
        exchange.exchange = key.routing_key = prefix.id_prefix = error.error = what;
        CHECK(found(exchange) == matching([&](const std::string& one) { return one == what; }));
        CHECK(found(key) == matching([&](const std::string& one) { return one == what; }));
        CHECK(found(prefix) == matching([&](const std::string& one) { return one.starts_with(what); }));
        CHECK(found(error) ==
              matching([&](const std::string& one) { return ("-" + one + "-").find(what) != one.npos; }));
    };
    for (const auto& text : texts) asked(text);
    for (const char* other : {"a", "A", "B", "ab ", "ab c", "\\b", "b", "nul", "?", "-%", "%-", "😀🏴"})
        asked(other);
    asked("\xF0\x9F");  // half a character
    asked("\xFF");      // no text at all
}

TEST_CASE("rows that change between two pages keep none of the others from being listed once") {
    table_view table;
    std::vector<new_row> rows;
    const auto ids = numbered(60);
    for (std::size_t i = 0; i < ids.size(); ++i)
        rows.push_back(
            {.id = ids[i], .status = 2, .update_time = i % 3 == 0 ? std::nullopt : std::optional(7 + i / 9)});
    table.insert(rows);
    const auto store = table.open();
    auto expected = listed(*store, of_status(2));
    strings seen;
    std::optional<list_place> at;
    for (std::size_t page_number = 0;; ++page_number) {
        const auto page = store->list(of_status(2), at, 5);
        for (const auto& one : page.rows) seen.push_back(one.id);
        if (!page.next) break;
        at = page.next;
        // The very row that the next page begins after, and the one before it.
        table.execute("DELETE FROM {} WHERE id = " + table.on().text(seen.back()));
        table.execute("UPDATE {} SET status = 0 WHERE id = " + table.on().text(seen.at(seen.size() - 2)));
        table.insert(new_row{.id = "new" + std::to_string(page_number), .status = 2, .update_time = 1'000});
    }
    CHECK(seen == expected);
}

TEST_CASE("counting stops where it is told to") {
    table_view table;
    std::vector<new_row> rows;
    for (const auto& id : numbered(50)) rows.push_back({.id = id, .status = id.back() % 2 == 0 ? 2 : 1});
    table.insert(rows);
    const auto store = table.open();
    CHECK(store->count(of_status(2), 1'000) == 25);
    CHECK(store->count(of_status(2), 25) == 25);
    CHECK(store->count(of_status(2), 24) == 24);
    CHECK(store->count({}, 1'000) == 50);
    CHECK(store->count({}, 40) == 40);
    CHECK(store->count({}, 0) == 0);
    CHECK(store->count({}, std::numeric_limits<std::uint64_t>::max()) == 50);
}

}  // namespace
