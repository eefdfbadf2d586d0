// Whatever an application writes into a row comes out as it was, and a settlement finds just that row.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::new_row;
using contract::retry;
using contract::shape;
using contract::sweep;
using contract::table_view;
using strings = std::vector<std::string>;
using namespace std::chrono_literals;

const strings hostile{
    "'",
    "\"",
    "`",
    "\\",
    "\\'",
    "a'b\"c\\d`e",
    "' OR '1'='1",
    "x'); DELETE FROM msg_log; -- ",
    "') OR status = 0 -- ",
    "%",
    "_",
    "?",
    "??",
    ":id $1 @a {} {0} %s %n",
    "/* comment */",
    "# comment",
    "-- comment",
    "line\nbreak\r\n\ttab",
    std::string("nul\0inside", 10),
    std::string("\0", 1),
    "\x01\x1A\x7F",
    "NULL",
    "0x41",
    "ünïcödé",
    "漢字",
    "😀🏴‍☠️",
    "é (combined) and e\u0301 (not)",
    "\u202Eright to left",
    "\uFEFFbyte order mark",
};

// As far as the database has a place for it.
strings hostile_to(table_view& table) {
    auto some = hostile;
    if (!table.on().holds_nul()) std::erase_if(some, [](const auto& text) { return text.find('\0') != text.npos; });
    return some;
}

std::vector<new_row> rows_named_hostile(table_view& table) {
    std::vector<new_row> rows;
    for (const auto& text : hostile_to(table))
        rows.push_back({.id = text, .msg = text, .exchange = text, .routing_key = text});
    return rows;
}

TEST_CASE("hostile text in every column is read as it is") {
    table_view table;
    table.insert(rows_named_hostile(table));
    for (const auto& text : hostile_to(table))
        table.execute("UPDATE {} SET order_key = " + table.on().text(text) + " WHERE id = " + table.on().text(text));
    auto page = table.open()->due({}, 100);
    REQUIRE(page.rows.size() == hostile_to(table).size());
    strings ids;
    for (const auto& row : page.rows) {
        CAPTURE(row.id);
        ids.push_back(row.id);
        CHECK(row.body == row.id);
        CHECK(row.exchange == row.id);
        CHECK(row.routing_key == row.id);
        CHECK(row.order_key == row.id);
    }
    auto expected = hostile_to(table);
    std::sort(expected.begin(), expected.end());
    std::sort(ids.begin(), ids.end());
    CHECK(ids == expected);
}

TEST_CASE("pages of one row each pass through hostile ids") {
    table_view table;
    table.insert(rows_named_hostile(table));
    auto ids = sweep(*table.open(), 1);
    auto expected = hostile_to(table);
    std::sort(expected.begin(), expected.end());
    std::sort(ids.begin(), ids.end());
    CHECK(ids == expected);
}

TEST_CASE("a settlement of a hostile id changes its row alone, and a hostile reason is recorded as it is") {
    table_view table;
    table.insert(rows_named_hostile(table));
    table.insert({.id = "bystander"});
    const auto store = table.open();
    std::size_t settled = 0;
    for (const auto& text : hostile_to(table)) {
        CAPTURE(text);
        CHECK(store->settle(std::array{failed(text, 4, text)}) == 1);
        CHECK(table.status_of(text) == 2);
        CHECK(table.of(text, "last_error") == text);
        CHECK(table.number("SELECT COUNT(*) FROM {} WHERE status = 2") == static_cast<std::int64_t>(++settled));
    }
    CHECK(table.status_of("bystander") == 0);
}

TEST_CASE("large bodies of rows with hostile ids are fetched") {
    table_view table;
    auto rows = rows_named_hostile(table);
    for (auto& row : rows) row.msg = std::string(20'000, 'x') + row.id;
    table.insert(rows);
    const auto store = table.open();
    auto page = store->due({}, 100);
    CHECK(page.rows.size() == hostile_to(table).size());
    for (auto& row : page.rows) {
        CAPTURE(row.id);
        REQUIRE(row.body_left_out);
        CHECK(store->load_body(row));
        CHECK((row.body == std::string(20'000, 'x') + row.id));
    }
}

TEST_CASE("ids that differ only in case are different rows") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "abc"}, {.id = "ABC"}, {.id = "Abc"}, {.id = "ÄBC"}, {.id = "äbc"}});
    const auto store = table.open();
    CHECK(sweep(*store, 1).size() == 5);
    CHECK(store->settle(std::array{delivered("ABC"), retry("abc", 1, 1h, "lower"), failed("äbc", 4)}) == 3);
    CHECK(table.status_of("ABC") == 1);
    CHECK(table.of("abc", "last_error") == "lower");
    CHECK(table.status_of("Abc") == 0);
    CHECK(table.of("Abc", "try_count") == "0");
    CHECK(table.status_of("äbc") == 2);
    CHECK(table.status_of("ÄBC") == 0);
}

TEST_CASE("ids that differ only in trailing spaces are different rows where the collation says so") {
    table_view table(shape::unpadded);
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "a "}, {.id = "a  "}, {.id = " a"}, {.id = " "}, {.id = ""}});
    const auto store = table.open();
    CHECK(sweep(*store, 1) == strings{"", " ", " a", "a", "a ", "a  "});
    CHECK(store->settle(std::array{delivered("a "), retry("a", 1, 1h, "none"), failed(" ", 4)}) == 3);
    CHECK(table.statuses() == "0 2 0 0 1 0");
    CHECK(table.of("a", "last_error") == "none");
    CHECK(table.of("a  ", "last_error") == "NULL");
}

TEST_CASE("an id that ends in spaces keeps them") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a  "}, {.id = "b\t "}});
    const auto store = table.open();
    CHECK(sweep(*store, 1) == strings{"a  ", "b\t "});
    CHECK(store->settle(std::array{delivered("a  "), delivered("b\t ")}) == 2);
}

TEST_CASE("the empty id is an id") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "", .msg = std::string(20'000, 'x')}, {.id = "a"}});
    const auto store = table.open();
    CHECK(sweep(*store, 1) == strings{"", "a"});
    auto page = store->due({}, 1);
    REQUIRE(page.rows.size() == 1);
    CHECK(store->load_body(page.rows.front()));
    CHECK(store->settle(std::array{delivered("")}) == 1);
    CHECK(table.statuses() == "1 0");
}

TEST_CASE("ids of 255 four-byte characters that differ only in the last one are told apart") {
    std::string stem;
    for (int i = 0; i < 254; ++i) stem += "𝄞";
    const std::array ids{stem + "😀", stem + "😁", stem + "😂"};
    table_view table;
    for (const auto& id : ids) table.insert({.id = id});
    const auto store = table.open();
    CHECK((sweep(*store, 1) == strings(ids.begin(), ids.end())));
    CHECK(store->settle(std::array{delivered(ids[0]), failed(ids[2], 4)}) == 2);
    CHECK(table.statuses() == "1 0 2");
}

}  // namespace
