#include "sidecar/vitals.hpp"

#include <doctest/doctest.h>

#include "sidecar/probes.hpp"

using namespace std::chrono_literals;
using relay::loop;

namespace {

struct turned_clock final : relay::clock {
    relay::time_point now() const override { return time; }
    relay::time_point time{1h};
};

struct fixture {
    conf::settings settings;
    turned_clock clock;
    sidecar::vitals vitals{settings, clock};

    void turn_all() {
        for (const auto one : {loop::reader, loop::pump, loop::settler, loop::keeper}) vitals.turned(one);
    }
    void connect() {
        vitals.broker_up("amqp://b");
        for (const char* role : {"lanes", "reader", "settler"}) vitals.database_up(role);
        vitals.lane_taken(0, 1);
    }
    bool blames(const char* words) const {
        for (const auto& one : vitals.ready().reasons) {
            if (one.find(words) != std::string::npos) return !vitals.ready().good;
        }
        return false;
    }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "a loop that stands still for longer than its calls can take is named, and only it") {
    for (int i = 0; i < 10; ++i) {
        turn_all();
        CHECK(vitals.live().good);
        clock.time += 3min;  // of a database whose every answer comes just before its timeout
    }
    turn_all();
    for (int i = 0; i < 4; ++i) {
        clock.time += 1min;
        for (const auto one : {loop::reader, loop::pump, loop::keeper}) vitals.turned(one);
    }
    const auto found = vitals.live();
    CHECK_FALSE(found.good);
    REQUIRE(found.reasons.size() == 1);
    CHECK(found.reasons[0].find("settler") != std::string::npos);
    vitals.turned(loop::settler);
    CHECK(vitals.live().good);
}

TEST_CASE_FIXTURE(fixture, "a loop that never begins is found as well") {
    CHECK(vitals.live().good);
    CHECK_FALSE(vitals.started().good);
    clock.time += 10min;
    CHECK(vitals.live().reasons.size() == 4);
    turn_all();
    CHECK(vitals.live().good);
    CHECK(vitals.started().good);
}

TEST_CASE_FIXTURE(fixture, "longer timeouts allow for longer silence") {
    settings.database.query_timeout = 10min;
    vitals.starting(settings);
    turn_all();
    clock.time += 40min;
    vitals.turned(loop::pump);
    CHECK(vitals.live().good);
    clock.time += 20min;
    CHECK_FALSE(vitals.live().good);
}

TEST_CASE_FIXTURE(fixture, "what the broker and the database do never fails the liveness") {
    turn_all();
    vitals.broker_down("gone", 1s);
    for (const char* role : {"lanes", "reader", "settler"}) vitals.database_down(role, "gone");
    CHECK(vitals.live().good);
    CHECK(vitals.ready().reasons.size() == 3);  // without lanes nobody reads
}

TEST_CASE_FIXTURE(fixture, "while it stops, it lives and is not ready") {
    turn_all();
    connect();
    CHECK(vitals.ready().good);
    vitals.stopping();
    clock.time += 1h;
    CHECK(vitals.live().good);
    CHECK(blames("stopping"));
    vitals.starting(settings);
    CHECK_FALSE(blames("stopping"));
    CHECK(blames("not connected yet"));
    CHECK_FALSE(vitals.started().good);
}

TEST_CASE_FIXTURE(fixture, "ready means that broker and database would take a message now") {
    CHECK(blames("not connected yet"));
    connect();
    CHECK(vitals.ready().good);
    vitals.broker_blocked("low on memory");
    CHECK(blames("low on memory"));
    vitals.broker_unblocked();
    CHECK(vitals.ready().good);
    vitals.broker_down("refused", 1s);
    CHECK(blames("refused"));
    vitals.broker_up("amqp://b");
    vitals.database_down("reader", "table `msg_log` lacks the column(s) msg");
    CHECK(blames("lacks the column"));
    vitals.database_up("reader");
    vitals.database_down("settler", "gone");
    CHECK(blames("settler: gone"));
    vitals.database_up("settler");
    vitals.database_down("counter", "too slow");  // relaying goes on
    CHECK(vitals.ready().good);
}

TEST_CASE_FIXTURE(fixture, "one that stands by is ready, and what its reader last heard is forgotten") {
    vitals.broker_up("amqp://b");
    vitals.database_up("lanes");
    CHECK(vitals.ready().good);
    vitals.lane_taken(0, 1);
    CHECK(blames("reader: not connected yet"));
    vitals.database_down("reader", "gone");
    vitals.lane_lost(0, "taken by another");
    CHECK(vitals.ready().good);
}

TEST_CASE_FIXTURE(fixture, "the probes say it as JSON, whatever bytes the reasons are") {
    sidecar::http_routes routes;
    sidecar::add_probes(routes, vitals);
    vitals.broker_down("caf\xe9", 1s);
    const auto ready = routes.get("/readyz");
    CHECK(ready.status == 503);
    CHECK(ready.content_type == "application/json");
    CHECK(ready.body.find("\"status\":\"failing\"") != std::string::npos);
    CHECK(ready.body.find("broker: caf") != std::string::npos);
    CHECK(routes.get("/livez").body == "{\"status\":\"ok\"}\n");
    CHECK(routes.get("/startupz").status == 503);
}

TEST_CASE_FIXTURE(fixture, "in a pause nobody reads, and it is as ready as before") {
    turn_all();
    connect();
    vitals.paused(true);
    vitals.database_down("reader", "gone");
    CHECK(vitals.ready().good);
    vitals.database_down("lanes", "gone");
    CHECK(blames("lanes"));
    vitals.database_up("lanes");
    vitals.paused(false);
    CHECK(blames("reader"));
}
