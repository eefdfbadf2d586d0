#include "relay/lane_policy.hpp"

#include <doctest/doctest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;
using outbox::lease;
using outbox::lease_table;

constexpr outbox::epoch_ms now = 1'000'000;
constexpr auto lease_time = 15s;
constexpr outbox::epoch_ms until = now + 15'000;
constexpr outbox::epoch_ms live = now + 1;

// Owners by lane, "" for nobody; all with live leases of epoch 1.
lease_table owned_by(const std::vector<std::string>& owners) {
    lease_table table{{}, now};
    for (const auto& one : owners)
        table.leases.push_back({.lane = static_cast<unsigned>(table.leases.size()),
                                .lanes = static_cast<unsigned>(owners.size()),
                                .owner = one,
                                .epoch = 1,
                                .expires = one.empty() ? 0 : live,
                                .wanted_by = ""});
    return table;
}

lane_plan plan(const lease_table& seen, const std::string& me, std::vector<unsigned> drained = {},
               std::vector<unsigned> kept = {}) {
    return plan_lanes(seen, {.me = me,
                             .lanes = static_cast<unsigned>(seen.leases.size()),
                             .lease = lease_time,
                             .drained = std::move(drained),
                             .kept = std::move(kept)});
}

lane_plan leaving(const lease_table& seen, const std::string& me, std::vector<unsigned> drained) {
    return plan_lanes(seen, {.me = me,
                             .lanes = static_cast<unsigned>(seen.leases.size()),
                             .lease = lease_time,
                             .leaving = true,
                             .drained = std::move(drained),
                             .kept = {}});
}

// "a b -": the owners by lane, "a>b" where b wants what is a's.
std::string text(const std::vector<lease>& leases) {
    std::string all;
    for (const auto& one : leases)
        all += (all.empty() ? "" : " ") + (one.owner.empty() ? "-" : one.owner) +
               (one.wanted_by.empty() ? "" : ">" + one.wanted_by);
    return all;
}

TEST_CASE("the first to come takes all lanes") {
    const auto first = plan_lanes({{}, now}, {.me = "a", .lanes = 3, .lease = lease_time, .drained = {}, .kept = {}});
    CHECK(text(first.leases) == "a a a");
    for (const auto& one : first.leases) {
        CHECK(one.lanes == 3);
        CHECK(one.epoch == 1);
        CHECK(one.expires == until);
    }
    CHECK_FALSE(first.other_lanes);
    CHECK_FALSE(first.asking);
}

TEST_CASE("who stands by at a single lane asks for nothing") {
    const auto by = plan(owned_by({"a"}), "b");
    CHECK(by.leases == owned_by({"a"}).leases);
    CHECK_FALSE(by.asking);
}

TEST_CASE("what is mine is renewed, also when it has expired and nobody has taken it, and keeps its epoch") {
    auto seen = owned_by({"a", "b"});
    seen.leases[0].expires = now - 60'000;
    const auto mine = plan(seen, "a").leases;
    CHECK(mine[0].expires == until);
    CHECK(mine[0].epoch == 1);
    CHECK(mine[1] == seen.leases[1]);
}

TEST_CASE("an expired lane changes hands with a new epoch, one that is live does not") {
    auto seen = owned_by({"a"});
    CHECK(text(plan(seen, "b").leases) == "a");
    seen.leases[0].expires = now;  // from then on it is lost
    const auto taken = plan(seen, "b").leases;
    CHECK(text(taken) == "b");
    CHECK(taken[0].epoch == 2);
    CHECK(taken[0].expires == until);
}

TEST_CASE("free lanes are shared: nobody takes more than an even share among those whom it sees") {
    CHECK(text(plan(owned_by({"a", "a", "b", "b", "", ""}), "a").leases) == "a a b b a -");
    CHECK(text(plan(owned_by({"a", "a", "a", "b", "b", ""}), "a").leases) == "a a a b b -");
    CHECK(text(plan(owned_by({"a", "a", "a", "", "", ""}), "c").leases) == "a a a c c c");
    CHECK(text(plan(owned_by({"", "", "", "a", "b", "c"}), "d").leases) == "d d - a b c");
}

TEST_CASE("who has two fewer than another asks for as many as make it even") {
    const auto one = plan(owned_by({"a", "a", "a", "b"}), "b");
    CHECK(text(one.leases) == "a a a>b b");
    CHECK(one.asking);
    CHECK(text(plan(owned_by({"a", "a", "a", "a", "a", "a"}), "b").leases) == "a a a a>b a>b a>b");
    CHECK(text(plan(owned_by({"a", "a", "a", "b", "b", "b"}), "c").leases) == "a a a>c b b b>c");
    CHECK(text(plan(owned_by({"a", "a", "b"}), "b").leases) == "a a b");
    CHECK_FALSE(plan(owned_by({"a", "a", "b"}), "b").asking);
}

TEST_CASE("wishes that are there already are kept, counted, and withdrawn when they are of no use any more") {
    auto seen = owned_by({"a", "a", "a", "b"});
    seen.leases[1].wanted_by = "b";
    CHECK(text(plan(seen, "b").leases) == "a a>b a b");
    CHECK(plan(seen, "b").asking);
    CHECK(text(plan(seen, "c").leases) == "a a>b a>c b");  // as if b had it already, a had 2

    seen = owned_by({"a", "a", "b", "b"});
    seen.leases[1].wanted_by = "b";
    CHECK(text(plan(seen, "b").leases) == "a a b b");
    seen.leases[1].expires = now;
    seen.leases[1].wanted_by = "c";
    CHECK(text(plan(seen, "a").leases) == "a a>c b b");  // mine, though expired
}

TEST_CASE("a lane that is wanted is drained, then left to the asker for one lease time, which alone takes it") {
    auto seen = owned_by({"a", "a", "a", "b"});
    seen.leases[2].wanted_by = "b";
    const auto draining = plan(seen, "a");
    CHECK(text(draining.leases) == "a a a>b b");
    CHECK(draining.giving == std::vector{2U});
    CHECK(draining.leases[2].expires == until);

    seen.leases = plan(seen, "a", {2}).leases;
    CHECK(text(seen.leases) == "a a ->b b");
    CHECK(seen.leases[2].expires == until);
    CHECK(seen.leases[2].epoch == 1);
    CHECK(text(plan(seen, "a").leases) == "a a ->b b");
    CHECK(text(plan(seen, "c").leases) == "a a>c ->b b");  // another one, if any
    const auto taken = plan(seen, "b").leases;
    CHECK(text(taken) == "a a b b");
    CHECK(taken[2].epoch == 2);

    seen.now = until;  // it has not come: another may, and what it wanted besides is forgotten
    for (auto& one : seen.leases) one.expires = std::max(one.expires, until + (one.owner.empty() ? 0 : 1));
    seen.leases[0].wanted_by = "b";
    CHECK(text(plan(seen, "c").leases) == "a a c b");
}

TEST_CASE("wishes that would not make it more even are dropped by the owner") {
    auto seen = owned_by({"a", "a", "b"});
    seen.leases[1].wanted_by = "b";
    CHECK(text(plan(seen, "a").leases) == "a a b");
    CHECK(plan(seen, "a").giving.empty());
    seen = owned_by({"a", "a", "a"});
    for (auto& one : seen.leases) one.wanted_by = "b";  // all of them at once
    CHECK(plan(seen, "a").giving == std::vector{2U});
}

TEST_CASE("an asker that owns nothing gets one lane first, and more when it has come for that") {
    auto seen = owned_by({"a", "a", "a", "a", "a", "a"});
    for (const int lane : {3, 4, 5}) seen.leases[lane].wanted_by = "b";
    CHECK(plan(seen, "a").giving == std::vector{5U});
    seen.leases = plan(seen, "a", {5}).leases;
    CHECK(text(seen.leases) == "a a a a>b a>b ->b");
    CHECK(plan(seen, "a").giving.empty());
    seen.leases = plan(seen, "b").leases;
    CHECK(text(seen.leases) == "a a a a>b a>b b");
    CHECK(plan(seen, "a").giving == std::vector{4U, 3U});
    CHECK(text(plan(seen, "a", {3, 4}).leases) == "a a a ->b ->b b");
}

TEST_CASE("a lane that is not to be given away now is kept, and the wish stays") {
    auto seen = owned_by({"a", "a", "a", "b"});
    seen.leases[2].wanted_by = "b";
    const auto kept = plan(seen, "a", {}, {2});
    CHECK(kept.giving.empty());
    CHECK(text(kept.leases) == "a a a>b b");
}

TEST_CASE("who leaves renews what is not drained, frees what is, takes nothing, and withdraws its wishes") {
    auto seen = owned_by({"a", "a", "b", "b", "b", ""});
    seen.leases[1].wanted_by = "c";
    seen.leases[3].wanted_by = "a";
    const auto left = leaving(seen, "a", {1});
    CHECK(text(left.leases) == "a - b b b -");
    CHECK(left.leases[0].expires == until);
    CHECK(text(plan({left.leases, now}, "c").leases) == "a c b b b c");
}

TEST_CASE("as long as live leases carry another number of lanes, nothing is touched; then all are replaced") {
    auto seen = owned_by({"a", "a"});
    seen.leases[0].expires = 0;
    seen.leases[1].epoch = 7;
    const lane_view view{.me = "b", .lanes = 4, .lease = lease_time, .drained = {}, .kept = {}};
    const auto waiting = plan_lanes(seen, view);
    CHECK(waiting.leases == seen.leases);
    CHECK(waiting.other_lanes == 2U);

    seen.leases[1].expires = 0;
    const auto taken = plan_lanes(seen, view);
    CHECK_FALSE(taken.other_lanes);
    CHECK(text(taken.leases) == "b b b b");
    for (const auto& one : taken.leases) {
        CHECK(one.lanes == 4);
        CHECK(one.epoch == 8);
    }
    const lane_view fewer{.me = "b", .lanes = 1, .lease = lease_time, .drained = {}, .kept = {}};
    CHECK(text(plan_lanes(seen, fewer).leases) == "b");
}

TEST_CASE("that leases last longer is worth writing only when it is time") {
    const auto seen = owned_by({"a", "a", "a", "b"});
    CHECK_FALSE(worth_writing(seen.leases, plan(seen, "a").leases));
    CHECK(worth_writing(seen.leases, plan(seen, "b").leases));  // a wish
    CHECK(worth_writing({}, seen.leases));
}

}  // namespace
}  // namespace relay
