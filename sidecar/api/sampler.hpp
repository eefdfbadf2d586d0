#pragma once
// sidecar/api/sampler.hpp - how the relay is doing and has done, for the API: what the console shows without asking the
// database. A day of it takes about 200 KiB.

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "relay/clock.hpp"
#include "relay/observer.hpp"

namespace sidecar::api {

/// Since the sampler was switched on.
struct relay_totals {
    std::uint64_t confirmed = 0;
    std::uint64_t returned = 0;
    std::uint64_t refused = 0;
    std::uint64_t no_exchange = 0;
    std::uint64_t impossible = 0;
    std::uint64_t unknown = 0;
    std::uint64_t failed = 0;
    std::uint64_t retries = 0;
    std::uint64_t possible_duplicates = 0;
    std::uint64_t purged = 0;
    std::uint64_t redriven = 0;
    std::uint64_t receipts = 0;
};

struct letter_state {
    std::optional<std::uint64_t> length;  // nullopt: not looked at, by this sidecar
    std::uint64_t redriven = 0;
    std::uint64_t filed = 0;
    std::uint64_t refused = 0;
    std::string trouble;  // the latest; empty: none
};

struct relay_state {
    bool broker_connected = false;
    bool broker_blocked = false;
    std::string broker_reason;             // why not, or why blocked
    std::optional<outbox::census> census;  // nullopt: another sidecar counts, or nobody
    outbox::epoch_ms counted_at = 0;       // by this machine's clock
    std::size_t in_flight = 0;
    std::size_t lanes_held = 0;
    relay_totals totals;
    std::map<std::string, letter_state> letters;  // by queue
    std::string letters_trouble;                  // that concerns all of them
};

/// What one step of time was like. Rates are those of the step, all else as it was at its end.
struct sample {
    outbox::epoch_ms time = 0;  // its end, by this machine's clock
    std::optional<std::uint64_t> due;
    std::optional<std::uint64_t> delivering;
    std::optional<std::uint64_t> failed;
    std::size_t in_flight = 0;
    double confirmed_per_s = 0;
    double failed_attempts_per_s = 0;
    std::optional<double> lag_p50_ms;  // nullopt: nothing was confirmed
    std::optional<double> lag_p99_ms;
};

/// Any thread. Switched off, it costs a look at a flag.
class sampler final : public relay::observer {
  public:
    explicit sampler(const relay::clock& clock) : clock_(clock) {}

    static constexpr std::chrono::seconds short_step{5};  // kept for an hour
    static constexpr std::chrono::seconds long_step{60};  // kept for a day

    void watch(bool on) { on_ = on; }

    /// Ends a step when its time has come; to be called about every second.
    void tick(outbox::epoch_ms wall_clock);

    relay_state state() const;
    /// The latest, the oldest first.
    std::vector<sample> samples(std::chrono::seconds apart, std::size_t most) const;

    /// A relay has ended: it is connected to nothing and holds nothing any more.
    void ended();

    void broker_up(std::string_view where) override;
    void broker_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void broker_blocked(std::string_view reason) override;
    void broker_unblocked() override;
    void lane_taken(unsigned lane, unsigned of) override;
    void lane_lost(unsigned lane, std::string_view why) override;
    void lane_released(unsigned lane, std::string_view to) override;
    void lanes_unprotected() override;
    void attempted(const relay::attempt& one) override { attempted_all({&one, 1}); }
    void attempted_all(std::span<const relay::attempt> batch) override;
    void retrying(const relay::delivery& row, std::int64_t tries, std::chrono::milliseconds in,
                  std::string_view error) override;
    void failed(const relay::delivery& row, std::int64_t tries, std::string_view error) override;
    void purged(const relay::purge_report& report) override;
    void receipts_taken(std::size_t changed, std::size_t unchanged, std::span<const std::string> unknown) override;
    void carrying(std::size_t rows) override;
    void database_clock(outbox::epoch_ms now, relay::time_point asked, std::chrono::microseconds took) override;
    void counted(const std::optional<outbox::census>& what) override;
    void dead_letters(const relay::letter_report& report) override;
    void dead_letters_trouble(std::string_view queue, std::string_view why) override;

  private:
    // Counts of lags by their size, each bound 15 % above the one before: from 1 ms to 5 hours.
    class lags {
      public:
        void add(double ms);
        void add(const lags& other);
        std::optional<double> quantile(double q) const;

      private:
        std::array<std::uint32_t, 120> counts_{};
        std::uint64_t all_ = 0;
    };

    // What has happened in a step that is under way.
    struct step {
        relay::time_point began;
        std::uint64_t confirmed = 0;
        std::uint64_t failed_attempts = 0;
        lags lag;
    };

    sample end_of(const step& one, relay::time_point now, outbox::epoch_ms wall_clock) const;

    const relay::clock& clock_;
    std::atomic<bool> on_{false};
    std::atomic<std::uint64_t> retries_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::size_t> in_flight_{0};

    mutable std::mutex mutex_;  // guards what follows
    relay_state state_;
    std::set<unsigned> lanes_;
    std::optional<outbox::epoch_ms> clock_base_;  // the database's clock, at clock_asked_
    relay::time_point clock_asked_;
    relay::time_point counted_at_;
    step short_;
    step long_;
    std::deque<sample> hour_;
    std::deque<sample> day_;
};

}  // namespace sidecar::api
