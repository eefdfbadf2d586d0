// Lanes divide the due rows among replicas: each row belongs to exactly one.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "test/contract/table_view.hpp"

namespace {

using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using outbox::lane_set;

// The rows of some lanes, in the order in which pages of 7 brought them.
std::vector<outbox::message> rows_of(outbox::due_rows& rows, const lane_set& lanes) {
    std::vector<outbox::message> all;
    outbox::position at;
    for (;;) {
        auto page = rows.due(at, 7, lanes);
        for (auto& one : page.rows) all.push_back(std::move(one));
        if (page.complete) return all;
        at = page.next;
    }
}

TEST_CASE("every row is of exactly one lane, says of which, and keeps its place in the order") {
    for (const auto of : {shape::recommended, shape::nine}) {
        table_view table(of);
        std::vector<new_row> rows;
        for (const auto& id : numbered(100)) rows.push_back({.id = id, .next_try_time = rows.size() / 10});
        for (int i = 0; i < 20; ++i) rows.push_back({.id = "n" + std::to_string(i), .next_try_time = std::nullopt});
        table.insert(rows);
        const auto store = table.open();

        std::map<std::string, unsigned> lane_of;
        for (const unsigned lane : {0U, 1U, 2U}) {
            outbox::epoch_ms last = -1;
            for (const auto& row : rows_of(*store, {3, {lane}})) {
                CHECK(row.lane == lane);
                CHECK(lane_of.emplace(row.id, lane).second);
                CHECK(row.next_try_time.value_or(-1) >= last);
                last = row.next_try_time.value_or(-1);
            }
        }
        CHECK(lane_of.size() == 120);
        std::set<unsigned> used;
        for (const auto& [id, lane] : lane_of) used.insert(lane);
        CHECK(used.size() == 3);

        // Several lanes at once are the same lanes.
        for (const auto& row : rows_of(*store, {3, {0, 2}})) {
            CHECK(row.lane == lane_of.at(row.id));
            CHECK(row.lane != 1);
        }
        CHECK(rows_of(*store, {3, {0, 1, 2}}).size() == 120);
        CHECK(rows_of(*store, {3, {}}).empty());
        CHECK(rows_of(*store, {1, {0}}).size() == 120);
    }
}

TEST_CASE("rows of the same order key are of the same lane") {
    table_view table;
    std::vector<new_row> rows;
    for (const auto& id : numbered(60)) rows.push_back({.id = id});
    table.insert(rows);
    table.execute("UPDATE {} SET order_key = 'one' WHERE id < 'r00020'");
    table.execute("UPDATE {} SET order_key = 'other' WHERE id >= 'r00020' AND id < 'r00040'");
    const auto store = table.open();
    std::map<std::string, std::set<unsigned>> lanes;
    for (const unsigned lane : {0U, 1U, 2U, 3U, 4U}) {
        for (const auto& row : rows_of(*store, {5, {lane}})) lanes[row.order_key.value_or("")].insert(row.lane);
    }
    CHECK(lanes.at("one").size() == 1);
    CHECK(lanes.at("other").size() == 1);
    CHECK(lanes.at("").size() > 1);
}

TEST_CASE("the lane of a row is the same for every connection, and depends on nothing but its key and their number") {
    table_view one, other;
    std::vector<new_row> rows;
    for (const auto& id : numbered(50)) rows.push_back({.id = id});
    one.insert(rows);
    for (auto& row : rows) row = {.id = row.id, .next_try_time = 5, .msg = "other", .try_count = 2};
    other.insert(rows);
    const auto in_one = rows_of(*one.open(), {4, {1}});
    const auto in_other = rows_of(*other.open(), {4, {1}});
    CHECK_FALSE(in_one.empty());
    CHECK(std::equal(in_one.begin(), in_one.end(), in_other.begin(), in_other.end(),
                     [](const auto& a, const auto& b) { return a.id == b.id; }));
}

}  // namespace
