#include "relay/emptiness.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "test/unit/simulated_table.hpp"

using namespace relay;
using namespace std::chrono_literals;

namespace {

struct table final : outbox::unfinished_rows {
    outbox::rows_left left() override { return next(); }
    std::function<outbox::rows_left()> next;
};

struct fixture {
    table rows;
    simulation::turned_clock clock;
    observer watch;
    emptiness parts{rows, clock, seeded_source(1), watch};
};

TEST_CASE_FIXTURE(fixture, "the end is when no row is unfinished, and not when the database is away") {
    rows.next = [] { return outbox::rows_left{true, 0}; };
    CHECK(parts.run_once() == 250ms);
    rows.next = []() -> outbox::rows_left { throw outbox::store_unavailable("gone"); };
    CHECK(parts.run_once().value_or(0ms) > 0ms);
    rows.next = []() -> outbox::rows_left { throw outbox::store_error("no such table"); };
    CHECK(parts.run_once().value_or(0ms) > 0ms);
    rows.next = [] { return outbox::rows_left{false, 7}; };
    CHECK_FALSE(parts.run_once());
    CHECK(parts.delayed() == 7);
}

TEST_CASE_FIXTURE(fixture, "looks that take long are rare") {
    rows.next = [this] {
        clock.advance(200ms);
        return outbox::rows_left{true, 0};
    };
    CHECK(parts.run_once() == 4s);
    rows.next = [this] {
        clock.advance(1min);
        return outbox::rows_left{true, 0};
    };
    CHECK(parts.run_once() == 30s);
}

}  // namespace
