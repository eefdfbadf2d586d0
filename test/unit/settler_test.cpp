#include "relay/settler.hpp"

#include <doctest/doctest.h>

#include <set>

#include "simulated_table.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;

/// Records what it is given; refuses what it is told to.
struct store : outbox::settlements {
    std::size_t settle(std::span<const outbox::settlement> batch) override {
        ++calls;
        if (away) throw outbox::store_unavailable("away");
        for (const auto& one : batch) {
            if (locked.count(one.id) > 0) throw outbox::store_busy("lock wait timeout");
            if (refused.count(one.id) > 0) throw outbox::store_error("a trigger says no");
        }
        for (const auto& one : batch) recorded.push_back(one.id);
        return batch.size();
    }

    outbox::released release(outbox::epoch_ms, const std::optional<std::string>&, std::size_t) override { return {}; }

    bool away = false;
    std::set<std::string> locked, refused;
    std::vector<std::string> recorded;
    int calls = 0;
};

struct fixture {
    store table;
    in_flight rows{1'000};
    outcome_queue outcomes;
    simulation::turned_clock clock;
    observer watch;
    settler parts{table, rows, outcomes, clock, seeded_source(1), watch, retry_rules({}, {}), {100}, [] {}};

    void confirm(int first, int last) {
        std::vector<attempt> attempts;
        rows.read_began();
        for (int i = first; i <= last; ++i) {
            rows.admit(std::to_string(i), 0);
            attempts.push_back({{std::to_string(i), "e", "k", 0, 0}, confirmed{}});
        }
        rows.read_ended();
        outcomes.push(std::move(attempts));
    }

    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            clock.advance(10ms);
            parts.run_once();
        }
    }
};

TEST_CASE_FIXTURE(fixture, "many outcomes are one batch, up to its limit") {
    confirm(1, 250);
    run(4);
    CHECK(table.calls == 3);
    CHECK(table.recorded.size() == 250);
    CHECK(rows.size() == 0);
}

TEST_CASE_FIXTURE(fixture, "a batch that is not full comes no sooner than 10 ms after the one before") {
    confirm(1, 1);
    CHECK(parts.run_once() == 0ms);
    confirm(2, 99);
    clock.advance(4ms);
    CHECK(parts.run_once() == 6ms);
    CHECK(table.recorded.size() == 1);
    clock.advance(6ms);
    CHECK(parts.run_once() == 0ms);
    CHECK(table.recorded.size() == 99);
    confirm(100, 199);
    CHECK(parts.run_once() == 0ms);
    CHECK(table.recorded.size() == 199);
}

TEST_CASE_FIXTURE(fixture, "a confirm that can't be recorded is kept, and written when the database is back") {
    confirm(1, 10);
    table.away = true;
    CHECK(parts.run_once() > 0ms);
    run(5);
    CHECK(parts.unsettled() == 10);
    CHECK(rows.size() == 10);
    table.away = false;
    run(1);
    CHECK(table.recorded.size() == 10);
    CHECK(parts.unsettled() == 0);
    CHECK(rows.size() == 0);
}

TEST_CASE_FIXTURE(fixture, "while the database is away, it is asked less and less often") {
    confirm(1, 1);
    table.away = true;
    const auto first = parts.run_once();
    std::chrono::milliseconds last{0};
    for (int i = 0; i < 10; ++i) last = parts.run_once();
    CHECK(first <= 100ms);
    CHECK(last >= 2s);
    CHECK(last <= 5s);
}

TEST_CASE_FIXTURE(fixture, "one locked row does not keep the others from being settled") {
    confirm(1, 64);
    table.locked = {"17"};
    run(20);
    CHECK(table.recorded.size() == 63);
    CHECK(parts.unsettled() == 1);
    table.locked.clear();
    clock.advance(1min);
    run(1);
    CHECK(table.recorded.back() == "17");
    CHECK(rows.size() == 0);
}

TEST_CASE_FIXTURE(fixture, "a row that the database refuses waits alone, and new ones pass it") {
    confirm(1, 3);
    table.refused = {"2"};
    run(10);
    confirm(4, 6);
    run(1);
    CHECK(table.recorded == std::vector<std::string>{"1", "3", "4", "5", "6"});
    const int before = table.calls;
    run(5);
    CHECK(table.calls == before);  // not before its time
}

TEST_CASE_FIXTURE(fixture, "an unknown outcome writes nothing and frees the row") {
    rows.read_began();
    rows.admit("a", 0);
    rows.read_ended();
    outcomes.push({{{"a", "e", "k", 0, 0}, unknown{}}});
    CHECK(parts.run_once() > 0ms);
    CHECK(table.calls == 0);
    CHECK(rows.size() == 0);
}

TEST_CASE_FIXTURE(fixture, "what can't be recorded is handed over, and recorded by who takes it over") {
    table.away = true;
    confirm(1, 250);
    run(3);
    CHECK(parts.stuck());
    auto rows = parts.hand_over();
    CHECK(rows.size() == 250);
    CHECK(parts.unsettled() + outcomes.size() == 0);
    CHECK(table.recorded.empty());

    table.away = false;
    in_flight others{1'000};
    outcome_queue no_outcomes;
    settler next{table, others, no_outcomes, clock, seeded_source(1), watch, retry_rules({}, {}), {100}, [] {}};
    next.take_over(std::move(rows));
    CHECK(others.size() == 250);
    others.read_began();
    CHECK_FALSE(others.admit("7", 0));  // or it would be sent again
    others.read_ended();
    for (int i = 0; i < 3; ++i) next.run_once();
    CHECK(std::set(table.recorded.begin(), table.recorded.end()).size() == 250);
    CHECK(table.recorded.size() == 250);
    CHECK(others.size() == 0);
    CHECK(next.unsettled() == 0);
    CHECK_FALSE(next.stuck());
}

}  // namespace
}  // namespace relay
