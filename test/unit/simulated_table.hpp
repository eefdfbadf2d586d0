#pragma once
// test/unit/simulated_table.hpp - a msg_log in memory, with what makes a real one hard: snapshots that are older than
// what has been committed since, transactions that commit late, replies that get lost, rows that are locked.

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "outbox/store.hpp"
#include "relay/clock.hpp"
#include "relay/lanes.hpp"

namespace simulation {

using engine = std::mt19937_64;

inline bool chance(engine& random, double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random) < probability;
}

inline std::size_t pick(engine& random, std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
}

/// Time for everybody. The database's clock runs `offset` ahead of the process's.
class turned_clock final : public relay::clock {
  public:
    relay::time_point now() const override { return relay::time_point(elapsed_); }
    outbox::epoch_ms database_now() const {
        return 1'700'000'000'000 + std::chrono::duration_cast<std::chrono::milliseconds>(elapsed_).count();
    }
    void advance(std::chrono::milliseconds by) { elapsed_ += by; }

  private:
    std::chrono::nanoseconds elapsed_{std::chrono::hours(1)};
};

/// One lane, which another sidecar may have for a while.
class single_lane final : public relay::lanes {
  public:
    relay::open_lanes open() const override {
        return held ? relay::open_lanes{{1, {0}}, {epoch}} : relay::open_lanes{{1, {}}, {}};
    }
    bool is_open(unsigned lane, std::int64_t under) const override { return held && lane == 0 && under == epoch; }

    bool held = true;
    std::int64_t epoch = 1;
};

struct row {
    outbox::message content;
    int status = 0;
    std::string last_error;
    bool touched_by_others = false;  // an operator has changed it: its tries are not ours alone
};

class table final : public outbox::due_rows, public outbox::settlements {
  public:
    table(engine& random, const turned_clock& clock) : random_(random), clock_(clock) {}

    outbox::page due(const outbox::position& after, std::size_t limit, const outbox::lane_set& of) override;
    bool load_body(outbox::message& row) override;
    void require_order() override {}
    std::vector<std::string> heads(std::span<const std::string> keys) override;
    std::vector<outbox::message> due_among(std::span<const std::string> ids, const outbox::lane_set& of) override;
    std::size_t settle(std::span<const outbox::settlement> batch) override;
    outbox::released release(outbox::epoch_ms parked_until, const std::optional<std::string>& after,
                             std::size_t limit) override;

    std::map<std::string, row> rows;  // committed
    std::set<std::string> locked;     // by somebody: settling one of them fails
    bool away = false;
    bool block = false;                       // on_failed
    double mishaps = 0;                       // how often a call fails
    std::function<void()> meanwhile = [] {};  // what the others do while a call is under way
    std::size_t settles = 0;
    std::size_t parked = 0;  // times that a row was

    /// The first row of the key that is not settled; nullptr: all are.
    const row* head(const std::string& key) const;

  private:
    bool comes_after(const outbox::message& one, const outbox::position& after) const;

    engine& random_;
    const turned_clock& clock_;
};

}  // namespace simulation
