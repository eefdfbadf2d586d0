// How the reader keeps the order of a key, and how it gets on with one.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "relay/reader.hpp"
#include "simulated_table.hpp"

namespace simulation {
namespace {

using namespace std::chrono_literals;

struct reading {
    // Rows of two keys in turn, the first of "a" being the third to be read.
    reading() {
        for (int i = 0; i < 10; ++i) {
            row one;
            auto& m = one.content;
            m.id = "m" + std::to_string(i);
            m.order_key = i % 2 == 0 ? "a" : "b";
            m.create_time = i;
            m.next_try_time = i == 0 ? 5 : i;
            rows.rows.emplace(m.id, one);
        }
        queue.open();
    }

    // Reads until there is nothing to do, and returns what came of it.
    std::vector<std::string> read() {
        while (reader.run_once() == 0ms) {
        }
        std::vector<std::string> ids;
        for (auto& one : queue.pop(100)) ids.push_back(one.id);
        std::sort(ids.begin(), ids.end());
        return ids;
    }

    void settle(const std::string& id, int status = 1) {
        rows.rows.at(id).status = status;
        in_flight.settled(std::array{id});
    }

    engine random{7};
    turned_clock clock;
    table rows{random, clock};
    single_lane lane;
    relay::observer watch;
    relay::in_flight in_flight{1'000};
    relay::send_queue queue{1'000'000, [] {}, [] {}};
    relay::reader reader{rows, lane, in_flight, queue, clock, relay::seeded_source(1), watch, {20, {2ms, 100ms}, true}};
};

using strings = std::vector<std::string>;

TEST_CASE("of each key one row is on its way, the first; the next follows as soon as that is settled") {
    reading it;
    CHECK(it.read() == strings{"m0", "m1"});
    CHECK(it.read().empty());
    it.settle("m0");
    CHECK(it.read() == strings{"m2"});  // no time has passed, so no sweep has found it
    it.settle("m1", 2);
    it.settle("m2");
    CHECK(it.read() == strings{"m3", "m4"});
}

TEST_CASE("a key whose first row waits for its time gives nothing, and its row comes first when it is time") {
    reading it;
    it.rows.rows.at("m0").content.next_try_time = it.clock.database_now() + 1'000;
    CHECK(it.read() == strings{"m1"});
    it.settle("m1");
    CHECK(it.read() == strings{"m3"});
    it.clock.advance(1s);
    CHECK(it.read() == strings{"m0"});
    it.settle("m0");
    CHECK(it.read() == strings{"m2"});
}

TEST_CASE("a row that is given back is the first of its key again") {
    reading it;
    CHECK(it.read() == strings{"m0", "m1"});
    it.in_flight.released(std::array<std::string, 1>{"m0"});
    CHECK(it.read() == strings{"m0"});
}

TEST_CASE("more keys than a page has rows become free at once, and none is forgotten") {
    reading it;
    it.rows.rows.clear();
    const auto add = [&](int i, const char* which, outbox::epoch_ms at) {
        row one;
        one.content.id = std::to_string(1'000 + i) + which;
        one.content.order_key = "k" + std::to_string(i);
        one.content.create_time = one.content.next_try_time = at;
        it.rows.rows.emplace(one.content.id, one);
    };
    for (int i = 0; i < 90; ++i) add(i, "a", 1);
    for (int i = 0; i < 90; ++i) add(i, "b", 2);
    const auto first = it.read();
    REQUIRE(first.size() == 90);
    for (const auto& id : first) it.settle(id);
    CHECK(it.read().size() == 90);
}

TEST_CASE("with an error of the database while keys are asked for, the sweep that follows finds their rows") {
    reading it;
    CHECK(it.read() == strings{"m0", "m1"});
    it.settle("m0");
    it.rows.away = true;
    CHECK(it.reader.run_once() > 0ms);
    it.rows.away = false;
    CHECK(it.read() == strings{"m2"});
}

TEST_CASE("of an order key one row travels at a time; a key is free when its row is settled or given back") {
    relay::in_flight rows(10);
    rows.read_began();
    CHECK(rows.admit("a", 0, "k"));
    CHECK_FALSE(rows.admit("b", 0, "k"));
    CHECK(rows.admit("c", 0, "other"));
    CHECK(rows.admit("d", 0));
    CHECK(rows.admit("e", 0));
    CHECK(rows.has_key("k"));
    rows.settled(std::array<std::string, 2>{"a", "d"});
    CHECK_FALSE(rows.has_key("k"));  // though the read under way may still show the row itself as due
    CHECK_FALSE(rows.admit("a", 0, "k"));
    CHECK(rows.admit("b", 0, "k"));
    rows.released(std::array<std::string, 1>{"c"});
    CHECK(rows.freed_keys() == strings{"k", "other"});
    CHECK(rows.freed_keys().empty());
    rows.settled(std::array<std::string, 1>{"a"});
    CHECK(rows.has_key("k"));
}

}  // namespace
}  // namespace simulation
