#include "relay/census_taker.hpp"

#include <doctest/doctest.h>

#include "outbox/store.hpp"
#include "test/unit/simulated_table.hpp"

using namespace std::chrono_literals;

namespace {

struct table final : outbox::counting {
    simulation::turned_clock& clock;
    std::chrono::milliseconds takes{0};
    const char* fails = nullptr;
    std::uint64_t most = 0;
    int asked = 0;
    std::optional<std::chrono::milliseconds> asked_overdue;

    explicit table(simulation::turned_clock& c) : clock(c) {}
    outbox::census count_up_to(std::uint64_t limit, std::chrono::milliseconds,
                               std::optional<std::chrono::milliseconds> overdue) override {
        asked_overdue = overdue;
        ++asked;
        most = limit;
        clock.advance(takes);
        if (fails != nullptr) throw outbox::store_unavailable(fails);
        return {};
    }
};

struct listener final : relay::observer {
    int counts = 0, others = 0, downs = 0;
    void counted(const std::optional<outbox::census>& what) override { ++(what ? counts : others); }
    void database_down(std::string_view, std::string_view) override { ++downs; }
};

struct fixture {
    simulation::turned_clock clock;
    table counted{clock};
    listener heard;
    bool in_charge = true;
    relay::census_taker taker{counted, clock, heard, [this] { return in_charge; }, 90s};
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "counting takes no more than a small share of the time, however slow it is") {
    const auto usual = taker.run_once();
    CHECK(usual >= 1s);
    CHECK(counted.most > 0);
    CHECK(counted.asked_overdue == 90s);
    counted.takes = 9s;
    CHECK(taker.run_once() >= 100s);
    counted.fails = "too slow";
    CHECK(taker.run_once() >= 100s);
    CHECK(heard.counts == 2);
}

TEST_CASE_FIXTURE(fixture, "only the sidecar in charge counts, and it says so once when it no longer is") {
    in_charge = false;
    taker.run_once();
    CHECK(counted.asked == 0);
    CHECK(heard.others == 0);
    in_charge = true;
    taker.run_once();
    in_charge = false;
    for (int i = 0; i < 3; ++i) taker.run_once();
    CHECK(heard.counts == 1);
    CHECK(heard.others == 1);
}

TEST_CASE_FIXTURE(fixture, "the same trouble is told once, and again after it was over") {
    counted.fails = "gone";
    for (int i = 0; i < 3; ++i) taker.run_once();
    CHECK(heard.downs == 1);
    counted.fails = nullptr;
    taker.run_once();
    counted.fails = "gone";
    taker.run_once();
    CHECK(heard.downs == 2);
}
