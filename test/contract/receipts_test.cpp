// What becomes of the receipts of consumers, whatever is in them.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using strings = std::vector<std::string>;

TEST_CASE("a receipt makes what is being delivered, or is delivered, consumed, and leaves all else as it is") {
    for (const auto of : {shape::recommended, shape::nine}) {
        table_view table(of);
        for (const int one : {0, 1, 2, 3, 42}) table.insert({.id = "s" + std::to_string(one), .status = one});
        table.insert({.id = "bystander"});
        const auto before = table.now();
        const auto taken = table.open()->take_receipts(strings{"s0", "s1", "s2", "s3", "s42"});
        CHECK(taken.changed == 2);
        CHECK(taken.unknown.empty());
        CHECK(table.status_of("s0") == 3);
        CHECK(table.status_of("s1") == 3);
        CHECK(table.status_of("s2") == 2);
        CHECK(table.status_of("s3") == 3);
        CHECK(table.status_of("s42") == 42);
        CHECK(table.status_of("bystander") == 0);
        CHECK(std::stoll(table.of("s1", "update_time")) >= before);
        CHECK(table.of("s3", "update_time") == "1");
    }
}

TEST_CASE("a receipt that comes twice changes nothing more, also within one batch") {
    table_view table;
    table.insert({.id = "a", .status = 1});
    const auto store = table.open();
    CHECK(store->take_receipts(strings{"a", "a"}).changed == 1);
    const auto first = table.of("a", "update_time");
    const auto again = store->take_receipts(strings{"a"});
    CHECK(again.changed == 0);
    CHECK(again.unknown.empty());
    CHECK(table.of("a", "update_time") == first);
}

TEST_CASE("a receipt that overtakes the confirm is not undone by it") {
    table_view table;
    table.insert({.id = "a"});
    const auto store = table.open();
    CHECK(store->take_receipts(strings{"a"}).changed == 1);
    CHECK(store->settle(std::array{delivered("a")}) == 0);
    CHECK(table.status_of("a") == 3);
    CHECK(store->due({}, 10).rows.empty());
}

TEST_CASE("receipts that no row has are named, and the others of the batch are taken") {
    table_view table;
    const auto ids = numbered(300);
    std::vector<new_row> rows;
    strings receipts, strangers;
    for (const auto& id : ids) {
        rows.push_back({.id = id, .status = 1});
        receipts.push_back(id);
        strangers.push_back("x" + id);
        receipts.push_back(strangers.back());
    }
    table.insert(rows);
    auto taken = table.open()->take_receipts(receipts);
    CHECK(taken.changed == 300);
    std::sort(taken.unknown.begin(), taken.unknown.end());
    CHECK(taken.unknown == strangers);
}

TEST_CASE("batches of receipts of every size change every row of theirs") {
    table_view table;
    const auto store = table.open();
    for (const std::size_t size : {0, 1, 2, 3, 64, 65, 511, 512, 513, 1025}) {
        CAPTURE(size);
        table.execute("DELETE FROM {}");
        const auto ids = numbered(size);
        for (const auto& id : ids) table.insert({.id = id, .status = 1});
        CHECK(store->take_receipts(ids).changed == size);
        CHECK(table.number("SELECT COUNT(*) FROM {} WHERE status = 3") == static_cast<std::int64_t>(size));
        CHECK(store->take_receipts(ids).unknown.empty());
    }
}

TEST_CASE("hostile receipts are unknown, and keep nobody else's from being taken") {
    table_view table;
    table.insert({.id = "a", .status = 1});
    const strings hostile{"",
                          std::string(256, 'x'),
                          std::string(100'000, 'y'),
                          "\xff\xfe",
                          "a\xff",
                          "\xed\xa0\x80",
                          std::string("a\0b", 3),
                          std::string("\0", 1),
                          "' OR '1'='1",
                          "a') OR 1=1 -- ",
                          "%",
                          "_",
                          "\\",
                          "{}",
                          "\xF0\x9F\x98\x80"};
    auto all = hostile;
    all.emplace_back("a");
    const auto taken = table.open()->take_receipts(all);
    CHECK(taken.changed == 1);
    CHECK(taken.unknown.size() == hostile.size());
    CHECK(table.status_of("a") == 3);
}

TEST_CASE("receipts find hostile ids that are a row's") {
    table_view table;
    strings ids{"'", "\\", "%", ":id $1 ?", "line\nbreak", "漢字", "😀", std::string(255, 'x')};
    if (table.on().holds_nul()) ids.emplace_back("nul\0inside", 10);
    for (const auto& id : ids) table.insert({.id = id, .status = 1});
    table.insert({.id = "bystander", .status = 1});
    const auto taken = table.open()->take_receipts(ids);
    CHECK(taken.changed == ids.size());
    CHECK(taken.unknown.empty());
    CHECK(table.status_of("bystander") == 1);
}

TEST_CASE("receipts tell ids apart by case, and by trailing spaces where the collation does") {
    table_view table(shape::unpadded);
    for (const char* id : {"a", "A", "a "}) table.insert({.id = id, .status = 1});
    const auto store = table.open();
    CHECK(store->take_receipts(strings{"A"}).changed == 1);
    CHECK(table.number("SELECT COUNT(*) FROM {} WHERE status = 3") == 1);
    CHECK(store->take_receipts(strings{"a "}).changed == 1);
    CHECK(table.number("SELECT COUNT(*) FROM {} WHERE status = 3") == 2);
    CHECK(store->take_receipts(strings{"a  "}).unknown == strings{"a  "});
}

}  // namespace
