// What the relay does while its lanes are closed, or when they close under it.
#include <doctest/doctest.h>

#include "relay/pump.hpp"
#include "relay/reader.hpp"
#include "simulated_broker.hpp"

namespace simulation {
namespace {

using namespace std::chrono_literals;

struct relaying {
    relaying() {
        rows.meanwhile = [this] { ++reads; };
        for (int i = 0; i < 100; ++i) {
            row one;
            one.content.id = std::to_string(i);
            one.content.exchange = "good";
            one.content.body = "body";
            rows.rows.emplace(one.content.id, one);
        }
    }

    // Reads until there is nothing to do.
    void read() {
        while (reader.run_once() == 0ms) {
        }
    }
    void connect() {
        while (publisher.state() != relay::link::up) pump.run_once(0ms);
        pump.run_once(0ms);
    }

    engine random{7};
    turned_clock clock;
    table rows{random, clock};
    broker publisher{random, clock, 1'000};
    single_lane lane;
    relay::observer watch;
    relay::in_flight in_flight{1'000};
    relay::send_queue queue{1'000'000, [] {}, [] {}};
    relay::outcome_queue outcomes;
    relay::reader reader{rows, lane, in_flight, queue, clock, relay::seeded_source(1), watch, {20, {2ms, 100ms}}};
    relay::pump pump{publisher, lane,
                     queue,     outcomes,
                     in_flight, relay::composer(conf::message{}),
                     watch,     [this] { reader.reread(); }};
    int reads = 0;
};

TEST_CASE("while no lane is open the database is asked nothing") {
    relaying it;
    it.connect();
    it.lane.held = false;
    for (int i = 0; i < 10; ++i) {
        CHECK(it.reader.run_once() > 0ms);
        it.clock.advance(10s);
    }
    CHECK(it.reads == 0);
    it.lane.held = true;
    it.read();
    CHECK(it.reads > 0);
    CHECK(it.in_flight.size() == 100);
}

TEST_CASE("rows that have not been sent when their lane closes are given back, and never sent") {
    relaying it;
    it.connect();
    it.read();
    REQUIRE(it.queue.size() == 100);
    it.lane.held = false;
    it.pump.run_once(0ms);
    CHECK(it.publisher.sent.empty());
    CHECK(it.queue.size() == 0);
    CHECK(it.in_flight.size() == 0);
}

TEST_CASE("rows read before the lane was another's are read anew when it has come back") {
    relaying it;
    it.connect();
    it.read();
    ++it.lane.epoch;  // it was away and is back: nobody has looked meanwhile
    it.rows.rows.at("7").status = 1;
    it.pump.run_once(0ms);
    CHECK(it.publisher.sent.empty());
    it.read();
    while (it.queue.size() > 0) it.pump.run_once(0ms);
    CHECK(it.publisher.sent.size() == 99);
    CHECK(it.publisher.sent.count("7") == 0);
}

TEST_CASE("rows that are still held back when their lanes change are let go of") {
    relaying it;
    it.connect();
    relay::send_queue narrow(
        10, [] {}, [] {});
    narrow.open();
    relay::reader reader(it.rows, it.lane, it.in_flight, narrow, it.clock, relay::seeded_source(1), it.watch,
                         {20, {2ms, 100ms}});
    while (reader.run_once() == 0ms) {
    }
    const auto queued = narrow.size();
    REQUIRE(queued < 20);
    REQUIRE(it.in_flight.size() == 20);
    it.lane.held = false;
    reader.run_once();
    CHECK(it.in_flight.size() == queued);
}

TEST_CASE("a closed lane admits no row, and is empty when the last of its rows is settled or given back") {
    relay::in_flight rows(10);
    rows.read_began();
    REQUIRE(rows.admit("a", 1));
    REQUIRE(rows.admit("b", 1));
    REQUIRE(rows.admit("c", 2));
    rows.admit_only({2});
    CHECK_FALSE(rows.admit("d", 1));  // of the read that began when it was open
    CHECK(rows.admit("e", 2));
    CHECK(rows.has(1));
    rows.settled(std::array<std::string, 1>{"a"});
    rows.settled(std::array<std::string, 1>{"a"});
    CHECK(rows.has(1));
    rows.released(std::array<std::string, 2>{"b", "a"});
    CHECK_FALSE(rows.has(1));
    CHECK(rows.has(2));
    rows.admit_only({1, 2});
    CHECK(rows.admit("d", 1));
}

}  // namespace
}  // namespace simulation
