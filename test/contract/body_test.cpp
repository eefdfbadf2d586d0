#include <doctest/doctest.h>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::shape;
using contract::table_view;

std::string patterned(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + (i * 7 + i / 1000) % 26);
    return text;
}

// One row's body, whether it came with the page or had to be fetched.
std::string body_of(outbox::due_rows& rows) {
    auto page = rows.due({}, 10);
    REQUIRE(page.rows.size() == 1);
    auto& row = page.rows.front();
    if (row.body_left_out) REQUIRE(rows.load_body(row));
    CHECK(row.body_size == row.body.size());
    return row.body;
}

TEST_CASE("a body comes back byte for byte, whatever its size") {
    for (const std::size_t size : {0, 1, 1'000, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 70'000, 3'000'000}) {
        CAPTURE(size);
        table_view table;
        table.insert({.id = "a", .msg = patterned(size)});
        CHECK((body_of(*table.open()) == patterned(size)));
    }
}

TEST_CASE("bytes that are no text come back as they are") {
    table_view table(shape::bytes);
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    all += std::string("\0\0\xC3\x28\xF0\x28\x8C\xBC\xFF", 9);
    table.insert({.id = "a", .msg = all});
    CHECK(body_of(*table.open()) == all);

    std::string large;
    while (large.size() < 100'000) large += all;
    table.execute("UPDATE {} SET msg = " + table.on().blob(large));
    CHECK((body_of(*table.open()) == large));
}

TEST_CASE("large bodies are left out of a page, small ones are not") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "large", .msg = patterned(2'000'000)}, {.id = "small", .msg = "x"}});
    const auto store = table.open();
    auto page = store->due({}, 10);
    REQUIRE(page.rows.size() == 2);
    auto& large = page.rows[0];
    CHECK(large.body_left_out);
    CHECK(large.body.empty());
    CHECK(large.body_size == 2'000'000);
    CHECK_FALSE(page.rows[1].body_left_out);
    CHECK(page.rows[1].body == "x");

    CHECK(store->load_body(large));
    CHECK_FALSE(large.body_left_out);
    CHECK((large.body == patterned(2'000'000)));
}

TEST_CASE("a body that was left out is not had any more once its row is gone, or is no longer to be delivered") {
    table_view table;
    for (const char* id : {"kept", "deleted", "delivered", "failed", "consumed"})
        table.insert({.id = id, .msg = patterned(50'000)});
    const auto store = table.open();
    auto page = store->due({}, 10);
    REQUIRE(page.rows.size() == 5);
    table.execute("DELETE FROM {} WHERE id = 'deleted'");
    table.execute("UPDATE {} SET status = 1 WHERE id = 'delivered'");
    table.execute("UPDATE {} SET status = 2 WHERE id = 'failed'");
    table.execute("UPDATE {} SET status = 3 WHERE id = 'consumed'");
    for (auto& row : page.rows) {
        CAPTURE(row.id);
        CHECK(store->load_body(row) == (row.id == "kept"));
    }
}

TEST_CASE("a body that was changed since its page was read is fetched as it is now") {
    table_view table;
    table.insert({.id = "a", .msg = patterned(50'000)});
    const auto store = table.open();
    auto page = store->due({}, 10);
    REQUIRE(page.rows.size() == 1);
    table.execute("UPDATE {} SET msg = 'short now'");
    CHECK(store->load_body(page.rows.front()));
    CHECK(page.rows.front().body == "short now");
    CHECK(page.rows.front().body_size == 9);
}

}  // namespace
