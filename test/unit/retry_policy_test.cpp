#include "relay/retry_policy.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>

using conf::retry_strategy;
using relay::next_delay;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

namespace {

constexpr auto int64_max = std::numeric_limits<std::int64_t>::max();

conf::retry policy_of(retry_strategy strategy, milliseconds initial, std::uint32_t max_retries = 10) {
    conf::retry made;
    made.strategy = strategy;
    made.initial = initial;
    made.max_retries = max_retries;
    return made;
}

template <typename T, std::size_t Size>
T one_of(const std::array<T, Size>& values, std::mt19937_64& random) {
    return values[random() % Size];
}

// Sensible and absurd values in one bag.
conf::retry any_policy(std::mt19937_64& random) {
    const auto any_time = [&] {
        return milliseconds{one_of<std::int64_t>(
            std::array<std::int64_t, 8>{-5, 0, 1, 7, 1'000, 60'000, int64_max - 1, int64_max}, random)};
    };
    conf::retry made;
    made.strategy = static_cast<retry_strategy>(random() % 4);
    made.initial = any_time();
    made.max_interval = any_time();
    made.multiplier =
        one_of<double>(std::array<double, 8>{-1.0, 0.0, 0.5, 1.0, 1.5, 10.0, 1e308, std::nan("")}, random);
    made.jitter = one_of<double>(std::array<double, 6>{-1.0, 0.0, 0.3, 1.0, 7.0, std::nan("")}, random);
    made.max_retries = one_of<std::uint32_t>(std::array<std::uint32_t, 5>{0, 1, 3, 1'000, 4'294'967'295}, random);
    return made;
}

std::int64_t any_tries(std::mt19937_64& random) {
    return one_of<std::int64_t>(std::array<std::int64_t, 9>{1, 2, 3, 4, 50, 1'000, 1'001, 2'147'483'647, int64_max},
                                random);
}

double any_draw(std::mt19937_64& random) {
    return random() % 8 == 0 ? 1.0 : std::uniform_real_distribution<double>(0, 1)(random);
}

}  // namespace

TEST_CASE("the default waits one, two, three minutes and then gives up") {
    const conf::retry standard;
    CHECK(next_delay(standard, 1, 0.5) == 60s);
    CHECK(next_delay(standard, 2, 0.5) == 120s);
    CHECK(next_delay(standard, 3, 0.5) == 180s);
    CHECK(next_delay(standard, 4, 0.5) == std::nullopt);
}

TEST_CASE("fixed waits the same each time") {
    const auto policy = policy_of(retry_strategy::fixed, 5s);
    CHECK(next_delay(policy, 1, 0) == 5s);
    CHECK(next_delay(policy, 10, 0) == 5s);
}

TEST_CASE("exponential multiplies each time, up to the longest pause") {
    auto policy = policy_of(retry_strategy::exponential, 1s);
    policy.multiplier = 3;
    policy.max_interval = 20s;
    CHECK(next_delay(policy, 1, 0) == 1s);
    CHECK(next_delay(policy, 2, 0) == 3s);
    CHECK(next_delay(policy, 3, 0) == 9s);
    CHECK(next_delay(policy, 4, 0) == 20s);
    policy.multiplier = 0.5;
    CHECK(next_delay(policy, 4, 0) == 1s);
}

TEST_CASE("random draws between the first and the longest pause, and jitter adds nothing") {
    auto policy = policy_of(retry_strategy::random, 10s);
    policy.max_interval = 20s;
    for (const double jitter : {0.0, 1.0}) {
        policy.jitter = jitter;
        CHECK(next_delay(policy, 1, 0.0) == 10s);
        CHECK(next_delay(policy, 1, 0.5) == 15s);
        CHECK(next_delay(policy, 9, 0.5) == 15s);
    }
    policy.max_interval = 5s;
    CHECK(next_delay(policy, 1, 0.5) == 5s);
}

TEST_CASE("jitter puts only its share of the pause at risk") {
    auto policy = policy_of(retry_strategy::fixed, 100s);
    policy.jitter = 0.2;
    CHECK(next_delay(policy, 1, 0.0) == 100s);
    CHECK(next_delay(policy, 1, 0.5) == 90s);
    policy.jitter = 1.0;
    CHECK(next_delay(policy, 1, 0.25) == 75s);
    CHECK(next_delay(policy, 1, 1.0) == 1ms);
}

TEST_CASE("no retries means that the first failure is the last") {
    CHECK(next_delay(policy_of(retry_strategy::fixed, 1s, 0), 1, 0) == std::nullopt);
}

TEST_CASE("tries are counted from zero, whatever the row says, and fit an int column") {
    CHECK(relay::tries_after(0) == 1);
    CHECK(relay::tries_after(2) == 3);
    CHECK(relay::tries_after(-7) == 1);
    CHECK(relay::tries_after(std::numeric_limits<std::int64_t>::min()) == 1);
    CHECK(relay::tries_after(2'147'483'646) == 2'147'483'647);
    CHECK(relay::tries_after(2'147'483'647) == 2'147'483'647);
    CHECK(relay::tries_after(int64_max) == 2'147'483'647);
}

TEST_CASE("a pause is bounded, repeatable and given exactly as long as retries are left, whatever the settings") {
    for (std::uint64_t seed = 1; seed <= 50'000; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const auto policy = any_policy(random);
        const auto tries = any_tries(random);
        const auto draw = any_draw(random);

        const auto pause = next_delay(policy, tries, draw);
        REQUIRE(pause.has_value() == (tries <= policy.max_retries));
        REQUIRE(pause == next_delay(policy, tries, draw));
        if (pause) {
            REQUIRE(*pause >= 1ms);
            REQUIRE(*pause <= std::max(1ms, policy.max_interval));
        }
    }
}

TEST_CASE("without jitter a later retry never waits shorter, and with it none waits longer than without") {
    for (std::uint64_t seed = 1; seed <= 50'000; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        auto policy = any_policy(random);
        policy.max_retries = std::numeric_limits<std::uint32_t>::max();
        const auto tries = any_tries(random) % 2'000'000'000 + 1;
        const auto draw = any_draw(random);

        const auto jittered = next_delay(policy, tries, draw);
        policy.jitter = 0;
        const auto plain = next_delay(policy, tries, draw);
        REQUIRE(*jittered <= *plain);
        REQUIRE(*plain <= *next_delay(policy, tries + 1, draw));
    }
}

TEST_CASE("a draw out of its range counts as the nearest in it") {
    auto policy = policy_of(retry_strategy::random, 10s);
    policy.max_interval = 20s;
    CHECK(next_delay(policy, 1, -3) == 10s);
    CHECK(next_delay(policy, 1, 42) == 20s);
    CHECK(next_delay(policy, 1, std::nan("")) == 10s);
}

TEST_CASE("the first route whose patterns both match decides, otherwise the standard policy") {
    const auto route = [](std::string exchange, std::string key, milliseconds initial) {
        return conf::retry_route{std::move(exchange), std::move(key), policy_of(retry_strategy::fixed, initial)};
    };
    const relay::retry_rules rules(
        policy_of(retry_strategy::fixed, 1s),
        {route("orders", "order.*", 2s), route("orders", "*", 3s), route("*", "order.paid", 4s)});

    CHECK(rules.policy_for("orders", "order.paid").initial == 2s);
    CHECK(rules.policy_for("orders", "other").initial == 3s);
    CHECK(rules.policy_for("billing", "order.paid").initial == 4s);
    CHECK(rules.policy_for("billing", "bill.paid").initial == 1s);
    CHECK(rules.policy_for("", "").initial == 1s);
    CHECK(relay::retry_rules({}, {}).policy_for("a", "b").initial == 60s);
}
