#include "relay/verdict.hpp"

#include <doctest/doctest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;
using kind = outbox::settlement::kind;

retry_rules rules() {
    conf::retry policy;
    policy.initial = 60s;
    policy.max_retries = 3;
    conf::retry_route audit{"audit.*", "*", policy};
    audit.retry.max_retries = 0;
    return {policy, {audit}};
}

attempt tried(outcome result, std::int64_t try_count = 0, std::string exchange = "orders") {
    return {{"id", std::move(exchange), "key", try_count, 0}, std::move(result)};
}

TEST_CASE("confirmed is delivered") {
    const auto result = judge(tried(confirmed{}), rules(), 0);
    REQUIRE(result);
    CHECK(result->what == kind::delivered);
    CHECK(result->id == "id");
}

TEST_CASE("returned, refused and no exchange cost one try each, and come again later") {
    for (const outcome& result :
         {outcome(returned{312, "NO_ROUTE"}), outcome(refused{}), outcome(no_exchange{404, "no"})}) {
        const auto verdict = judge(tried(result, 1), rules(), 0);
        REQUIRE(verdict);
        CHECK(verdict->what == kind::retry);
        CHECK(verdict->try_count == 2);
        CHECK(verdict->delay == 120s);
        CHECK(verdict->error == describe(result));
        CHECK_FALSE(verdict->error.empty());
    }
}

TEST_CASE("the last try that fails gives the row up") {
    const auto verdict = judge(tried(returned{312, "NO_ROUTE"}, 3), rules(), 0);
    REQUIRE(verdict);
    CHECK(verdict->what == kind::failed);
    CHECK(verdict->try_count == 4);
    CHECK(verdict->error == "312 NO_ROUTE");
}

TEST_CASE("a route's own policy decides") {
    CHECK(judge(tried(refused{}, 0, "audit.eu"), rules(), 0)->what == kind::failed);
    CHECK(judge(tried(refused{}, 0, "orders"), rules(), 0)->what == kind::retry);
}

TEST_CASE("impossible fails at once and spends no try") {
    const auto verdict = judge(tried(impossible{"too long"}, 1), rules(), 0);
    REQUIRE(verdict);
    CHECK(verdict->what == kind::failed);
    CHECK(verdict->try_count == 1);
    CHECK(verdict->error == "too long");
    CHECK(judge(tried(impossible{""}, -7), rules(), 0)->try_count == 0);
}

TEST_CASE("unknown writes nothing") {
    CHECK_FALSE(judge(tried(unknown{true}), rules(), 0));
    CHECK_FALSE(judge(tried(unknown{false}, 99), rules(), 0));
}

TEST_CASE("a try count out of its range neither overflows nor lives for ever") {
    CHECK(judge(tried(refused{}, -5), rules(), 0)->try_count == 1);
    const auto huge = judge(tried(refused{}, std::numeric_limits<std::int64_t>::max()), rules(), 0);
    CHECK(huge->what == kind::failed);
    CHECK(huge->try_count == std::numeric_limits<std::int32_t>::max());
}

}  // namespace
}  // namespace relay
