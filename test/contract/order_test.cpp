// Order by key: the store says which row of a key is the first that is not settled, and the relay sends no other.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using strings = std::vector<std::string>;

struct ordered_table : table_view {
    ordered_table() { on().apply_optional("ordered.sql"); }

    std::unique_ptr<outbox::store> open(conf::on_failed on_failed = conf::on_failed::skip) {
        return table_view::open({.after_delivery = {}, .role = {}, .ordered = true, .on_failed = on_failed});
    }

    void insert(const std::string& key, const std::vector<new_row>& rows) {
        table_view::insert(rows);
        for (const auto& one : rows)
            execute("UPDATE {} SET order_key = " + on().text(key) + " WHERE id = " + on().text(one.id));
    }
};

strings heads(outbox::due_rows& of, const strings& keys) {
    auto ids = of.heads(keys);
    std::sort(ids.begin(), ids.end());
    return ids;
}

strings due_among(outbox::due_rows& of, const strings& ids, const outbox::lane_set& lanes = {}) {
    strings found;
    for (const auto& one : of.due_among(ids, lanes)) found.push_back(one.id);
    std::sort(found.begin(), found.end());
    return found;
}

std::string refusal(outbox::store& of) {
    try {
        of.require_order();
    } catch (const outbox::store_unusable& error) {
        return error.what();
    }
    return {};
}

TEST_CASE("a table that order can't be kept in is refused, with the name of the file to apply, until that is applied") {
    table_view table;
    const auto file = "schema/" + table.on().kind() + "/optional/ordered.sql";
    const auto store = table.open({.after_delivery = {}, .role = {}, .ordered = true});
    CHECK(refusal(*store).find(file) != std::string::npos);
    CHECK_THROWS_AS(store->heads(strings{"a"}), outbox::store_unusable);
    CHECK_FALSE(store->backlog().blocked_keys);
    const auto level = [&] {
        for (const auto& one : store->examine()) {
            if (one.subject == "order by key") return one.level;
        }
        return outbox::finding::grade::advice;
    };
    CHECK(level() == outbox::finding::grade::problem);
    table.on().apply_optional("ordered.sql");
    CHECK(refusal(*store).empty());
    CHECK(store->heads(strings{"a"}).empty());
    CHECK(store->backlog().blocked_keys);
    CHECK(level() == outbox::finding::grade::good);

    table_view nine(shape::nine);
    const auto without = refusal(*nine.open({.after_delivery = {}, .role = {}, .ordered = true}));
    CHECK(without.find("no column order_key") != std::string::npos);
    CHECK(without.find(file) != std::string::npos);
}

TEST_CASE("the first of a key is its earliest row of status 0, by create_time and then by id, due or not") {
    ordered_table table;
    const auto later = table.now() + 3'600'000;
    table.insert("a", {{.id = "a3", .next_try_time = 0, .create_time = 20},
                       {.id = "a2", .next_try_time = later, .create_time = 10},
                       {.id = "a1", .status = 1, .create_time = 5},
                       {.id = "a0", .status = 3, .create_time = 5}});
    table.insert("b", {{.id = "b2", .create_time = 7}, {.id = "b1", .create_time = 7}});
    table.insert("c", {{.id = "c1", .create_time = 1}, {.id = "c2", .create_time = std::nullopt}});
    table.insert("d", {{.id = "d1", .status = 1}});
    const auto store = table.open();
    CHECK(heads(*store, {"a", "b", "c", "d", "none"}) == strings{"a2", "b1", "c2"});
    CHECK(heads(*store, {"b"}) == strings{"b1"});
    CHECK(heads(*store, {}).empty());

    store->settle(std::vector{contract::delivered("b1")});
    CHECK(heads(*store, {"b"}) == strings{"b2"});
    store->settle(std::vector{contract::retry("b2", 1, std::chrono::hours(1))});
    CHECK(heads(*store, {"b"}) == strings{"b2"});
    table.execute("UPDATE {} SET status = 3 WHERE id = 'a2'");
    CHECK(heads(*store, {"a"}) == strings{"a3"});
}

TEST_CASE(
    "a failed row lets the next one go with on_failed: skip, and holds it back with block, until it is dealt with") {
    for (const auto way : {0, 1, 2}) {
        ordered_table table;
        table.insert("a", {{.id = "a1", .create_time = 1}, {.id = "a2", .create_time = 2}});
        table.insert("b", {{.id = "b1", .create_time = 1}, {.id = "b2", .status = 2, .create_time = 2}});
        const auto skip = table.open(), block = table.open(conf::on_failed::block);
        block->settle(std::vector{contract::failed("a1", 4)});
        CHECK(heads(*skip, {"a", "b"}) == strings{"a2", "b1"});
        CHECK(heads(*block, {"a", "b"}) == strings{"a1", "b1"});
        CHECK(due_among(*block, {"a1", "b1"}) == strings{"b1"});
        // The first of a key again; or gone; or consumed.
        if (way == 0) block->retry(strings{"a1"}, false);
        if (way == 1) block->remove(strings{"a1"}, false);
        if (way == 2) table.execute("UPDATE {} SET status = 3 WHERE id = 'a1' AND status = 2");
        CHECK(due_among(*block, heads(*block, {"a"})) == (way == 0 ? strings{"a1"} : strings{"a2"}));
        CHECK(heads(*block, {"b"}) == strings{"b1"});
    }
}

TEST_CASE("hundreds of keys are answered at once, whatever characters are in them") {
    ordered_table table;
    table_view& plain = table;
    std::vector<new_row> rows;
    strings keys, first;
    for (const auto& id : numbered(300)) {
        keys.push_back("k'\"\\%é😀 " + id);
        first.push_back(id + "a");
        for (const char* which : {"a", "b"}) rows.push_back({.id = id + which});
    }
    plain.insert(rows);
    for (std::size_t i = 0; i < keys.size(); ++i)
        table.execute("UPDATE {} SET order_key = " + table.on().text(keys[i]) + " WHERE id IN ('" + first[i] + "', '" +
                      first[i].substr(0, 6) + "b')");
    for (const auto on_failed : {conf::on_failed::skip, conf::on_failed::block}) {
        const auto store = table.open(on_failed);
        CHECK(heads(*store, keys) == first);
        CHECK(due_among(*store, first) == first);
        for (const auto& row : store->due({}, 1'000).rows)
            CHECK(row.order_key == keys.at(std::stoul(row.id.substr(1, 5))));
    }
}

TEST_CASE("rows that are asked for by id come as a page brings them, and only those that are due and of the lanes") {
    ordered_table table;
    table_view& plain = table;
    plain.insert({{.id = "now", .next_try_time = 0, .msg = "{\"a\": 1}", .try_count = 2, .create_time = 5},
                  {.id = "null", .next_try_time = std::nullopt},
                  {.id = "large", .msg = std::string(100'000, 'x')},
                  {.id = "later", .next_try_time = table.now() + 3'600'000},
                  {.id = "failed", .status = 2},
                  {.id = "delivered", .status = 1},
                  {.id = "not asked for"}});
    table.execute("UPDATE {} SET order_key = 'k', headers = '{\"h\":1}' WHERE id = 'now'");
    const auto store = table.open();
    const strings asked = {"now", "null", "large", "later", "failed", "delivered", "unknown", "now"};
    CHECK(due_among(*store, asked) == strings{"large", "now", "null"});
    CHECK(due_among(*store, {}).empty());
    const auto page = store->due({}, 10);
    for (const auto& row : store->due_among(asked)) {
        const auto same = std::find_if(page.rows.begin(), page.rows.end(), [&](auto& one) { return one.id == row.id; });
        REQUIRE(same != page.rows.end());
        CHECK(row.body == same->body);
        CHECK(row.body_size == same->body_size);
        CHECK(row.body_left_out == (row.id == "large"));
        CHECK(row.try_count == same->try_count);
        CHECK(row.create_time == same->create_time);
        CHECK(row.headers == same->headers);
        CHECK(row.order_key == same->order_key);
    }
    std::size_t seen = 0;
    for (const unsigned lane : {0U, 1U, 2U}) {
        for (const auto& row : store->due_among(asked, {3, {lane}})) {
            CHECK(row.lane == lane);
            ++seen;
        }
    }
    CHECK(seen == 3);
    CHECK(store->due_among(asked, {3, {}}).empty());
}

TEST_CASE("keys are counted as blocked whose due rows wait for an earlier one") {
    ordered_table table;
    const auto later = table.now() + 3'600'000;
    table.insert("free", {{.id = "f1"}, {.id = "f2"}});
    table.insert("retrying", {{.id = "r1", .next_try_time = later}, {.id = "r2"}, {.id = "r3", .next_try_time = {}}});
    table.insert("failed", {{.id = "x1", .status = 2}, {.id = "x2"}});
    table.insert("nobody waits", {{.id = "n1", .next_try_time = later}});
    table.insert("", {{.id = "e1", .next_try_time = later}, {.id = "e2"}});
    table_view& plain = table;
    plain.insert(new_row{.id = "without"});
    const auto blocked = [&](conf::on_failed on_failed) {
        const auto keys = table.open(on_failed)->backlog().blocked_keys;
        REQUIRE(keys);
        CHECK(keys->complete);
        CHECK(table.open(on_failed)->count_up_to(100).blocked_keys == keys->count);
        return keys->count;
    };
    CHECK(blocked(conf::on_failed::skip) == 1);
    CHECK(blocked(conf::on_failed::block) == 2);
    CHECK_FALSE(plain.open()->backlog().blocked_keys);
    CHECK(plain.open()->count_up_to(100).blocked_keys == 0);
}

TEST_CASE("asking for the first of a key costs no more for the rows behind it") {
    ordered_table table;
    if (!table.on().rows_examined()) return;
    table_view& plain = table;
    std::vector<new_row> rows;
    for (std::size_t i = 0; i < 20'000; ++i)
        rows.push_back({.id = "h" + std::to_string(100'000 + i), .status = i < 10'000 ? 1 : 0});
    plain.insert(rows);
    table.execute("UPDATE {} SET order_key = 'hot'");
    for (const auto on_failed : {conf::on_failed::skip, conf::on_failed::block}) {
        const auto store = table.open(on_failed);
        store->due({}, 1);
        auto least = std::numeric_limits<std::uint64_t>::max();
        for (int i = 0; i < 3; ++i) {
            const auto before = *table.on().rows_examined();
            const auto again = *table.on().rows_examined();
            CHECK(store->heads(strings{"hot"}) == strings{"h110000"});
            CHECK(due_among(*store, {"h110000"}).size() == 1);
            const auto sum = *table.on().rows_examined() - again;
            least = std::min(least, sum - std::min(sum, again - before));
        }
        CHECK(least <= 50);
    }
}

}  // namespace
