// What does not fit into a column, or is no text, must not keep a row from being settled.
#include <doctest/doctest.h>

#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::failed;
using contract::retry;
using contract::shape;
using contract::table_view;
using namespace std::chrono_literals;

std::string repeated(std::string_view piece, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += piece;
    return text;
}

TEST_CASE("tries beyond what the column can hold are recorded as the most that it can hold") {
    table_view table(shape::narrow);
    table.insert({.id = "a"});
    table.insert({.id = "b"});
    const auto most = table.on().narrow_tries();
    CHECK(table.open()->settle(std::array{retry("a", most + 1, 1h), failed("b", 100'000)}) == 2);
    CHECK(table.of("a", "try_count") == std::to_string(most));
    CHECK(table.of("b", "try_count") == std::to_string(most));

    table_view wide;
    wide.insert({.id = "a"});
    CHECK(wide.open()->settle(std::array{failed("a", 5'000'000'000)}) == 1);
    CHECK(wide.of("a", "try_count") == "2147483647");
}

TEST_CASE("a reason is cut to as many characters as the column has, and never within one") {
    const std::array<std::pair<std::string, std::string>, 5> cases{{
        {repeated("x", 20), repeated("x", 20)},
        {repeated("x", 21), repeated("x", 20)},
        {repeated("ü", 30), repeated("ü", 20)},
        {repeated("漢", 30), repeated("漢", 20)},
        {"ab" + repeated("😀", 30), "ab" + repeated("😀", 18)},
    }};
    for (const auto& [reason, recorded] : cases) {
        CAPTURE(reason);
        table_view table(shape::narrow);
        table.insert({.id = "a"});
        table.insert({.id = "b"});
        CHECK(table.open()->settle(std::array{retry("a", 1, 1h, reason), failed("b", 4, reason)}) == 2);
        CHECK(table.of("a", "last_error") == recorded);
        CHECK(table.of("b", "last_error") == recorded);
    }
}

TEST_CASE("a very long reason is recorded as far as it fits") {
    table_view table;
    table.insert({.id = "a"});
    CHECK(table.open()->settle(std::array{failed("a", 1, repeated("long ", 20'000))}) == 1);
    CHECK(table.of("a", "last_error") == repeated("long ", 200));
}

TEST_CASE("a reason that is not UTF-8 text is recorded, with what is text in it, and the row is settled") {
    for (const auto& reason :
         {std::string("bad \xC3\x28 byte"), std::string("cut \xE6\xBC"), std::string("nul \0 byte", 10),
          std::string("\xFF\xFE"), std::string("surrogate \xED\xA0\x80"), std::string("overlong \xC0\xAF")}) {
        CAPTURE(reason);
        table_view table;
        table.insert({.id = "a"});
        table.insert({.id = "b"});
        CHECK(table.open()->settle(std::array{retry("a", 1, 1h, reason), failed("b", 4, reason)}) == 2);
        CHECK(table.status_of("b") == 2);
        const auto text = reason.substr(0, reason.find_first_of(std::string("\xC3\xE6\0\xFF\xED\xC0", 6)));
        CHECK(table.of("b", "last_error").substr(0, text.size()) == text);
    }
}

}  // namespace
