#include "relay/sweep.hpp"

#include <doctest/doctest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;

constexpr outbox::epoch_ms db_now = 1'700'000'000'000;

struct fixture {
    time_point now{1h};
    sweep plan{{2ms, 100ms}};

    static outbox::page page(std::vector<std::optional<outbox::epoch_ms>> times, bool complete, bool from_start) {
        outbox::page result;
        for (const auto& time : times) {
            auto& row = result.rows.emplace_back();
            row.id = std::to_string(result.rows.size());
            row.next_try_time = time;
        }
        result.complete = complete;
        if (from_start) result.now = db_now;
        if (!result.rows.empty()) result.next = {result.rows.back().next_try_time, result.rows.back().id};
        return result;
    }

    /// Reads what is planned, if it is due; nothing is found. True: it was a full sweep.
    std::optional<bool> empty_read(std::chrono::microseconds cost = 100us) {
        const auto after = plan.next(now);
        if (!after) return std::nullopt;
        const bool full = *after == outbox::position{};
        plan.page_read(page({}, true, full), 0, now, cost);
        return full;
    }

    void wait_until_due() { now = std::max(now, plan.due_at()); }
};

TEST_CASE_FIXTURE(fixture, "the first sweep reads from the very start, page after page, without a pause") {
    CHECK(plan.next(now) == outbox::position{});
    const auto first = page({std::nullopt, 5}, false, true);
    plan.page_read(first, 2, now, 1ms);
    CHECK(plan.next(now) == first.next);
}

TEST_CASE_FIXTURE(fixture, "after activity it polls quickly, and calms down when there is none") {
    REQUIRE(plan.next(now));
    plan.page_read(page({db_now}, true, true), 1, now, 1ms);
    CHECK(plan.due_at() - now == 2ms);
    std::chrono::microseconds before = 2ms, quiet = 0ms;
    while (before < 100ms) {
        wait_until_due();
        REQUIRE(empty_read());
        const auto pause = std::chrono::duration_cast<std::chrono::microseconds>(plan.due_at() - now);
        CHECK(pause == std::min<std::chrono::microseconds>(before * 5 / 4, 100ms));
        before = pause;
        quiet += pause;
    }
    CHECK(quiet < 1s);  // and it stays calm
    wait_until_due();
    REQUIRE(empty_read());
    CHECK(plan.due_at() - now == 100ms);
}

TEST_CASE_FIXTURE(fixture, "before its time it plans nothing") {
    empty_read();
    CHECK_FALSE(plan.next(now));
    now += 1h;
    CHECK(plan.next(now));
}

TEST_CASE_FIXTURE(fixture, "short sweeps look at what can be new, from shortly before the last full one") {
    CHECK(empty_read() == true);
    wait_until_due();
    const auto after = plan.next(now);
    REQUIRE(after);
    CHECK(after->time == db_now - 2'000);
    CHECK_FALSE(after->id);
}

TEST_CASE_FIXTURE(fixture, "a full sweep comes back for rows that appear late") {
    int full = 0;
    const auto until = now + 10s;
    while (now < until) {
        if (empty_read() == true) ++full;
        wait_until_due();
    }
    CHECK(full >= 9);
    CHECK(full <= 11);
}

TEST_CASE_FIXTURE(fixture, "full sweeps become rarer by what they cost, but never stop") {
    std::chrono::microseconds reading{0};
    int full = 0;
    const auto began = now;
    while (now < began + 10min) {
        const auto after = plan.next(now);
        if (!after) {
            wait_until_due();
            continue;
        }
        const bool is_full = *after == outbox::position{};
        const auto cost = is_full ? 200ms : 1ms;
        now += cost;
        full += is_full ? 1 : 0;
        if (is_full) reading += cost;
        plan.page_read(page({}, true, is_full), 0, now, cost);
    }
    CHECK(full >= 20);
    CHECK(reading < (now - began) / 50);
}

TEST_CASE_FIXTURE(fixture, "while applications insert rows without a time, full sweeps follow quickly") {
    REQUIRE(empty_read() == true);
    now += 2s;
    REQUIRE(plan.next(now) == outbox::position{});
    plan.page_read(page({std::nullopt}, true, true), 1, now, 300us);
    const auto found_at = now;
    do wait_until_due();
    while (empty_read() == false);
    CHECK(now - found_at <= 10ms);
}

TEST_CASE_FIXTURE(fixture, "a restart looks at everything at once, wherever it was") {
    empty_read();
    wait_until_due();
    REQUIRE(plan.next(now)->time);
    plan.page_read(page({db_now}, false, false), 1, now, 1ms);
    plan.restart();
    CHECK(plan.next(now) == outbox::position{});
}

}  // namespace
}  // namespace relay
