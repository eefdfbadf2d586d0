#pragma once
// sidecar/reporter.hpp - what the relay tells, as lines of the log: a line for each change of state and each row that
// failed, few for retries, none for a message that arrived; and every minute a summary. Never a body.

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "relay/clock.hpp"
#include "relay/observer.hpp"
#include "sidecar/log.hpp"
#include "sidecar/throttle.hpp"

namespace sidecar {

/// Any thread. The functions called per message and per batch only count.
class reporter final : public relay::observer {
  public:
    reporter(log& out, const relay::clock& clock);

    void broker_up(std::string_view where) override;
    void broker_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void broker_blocked(std::string_view reason) override;
    void broker_unblocked() override;
    void broker_warning(std::string_view text) override;

    void database_up(std::string_view role) override;
    void database_down(std::string_view role, std::string_view why) override;
    void database_error(std::string_view role, std::string_view what) override;

    void lane_taken(unsigned lane, unsigned of) override;
    void lane_lost(unsigned lane, std::string_view why) override;
    void lane_released(unsigned lane, std::string_view to) override;
    void standing_by() override;
    void lanes_waiting(unsigned ours, unsigned theirs) override;
    void lanes_unprotected() override;

    void attempted(const relay::attempt& one) override;
    void retrying(const relay::delivery& row, std::int64_t tries, std::chrono::milliseconds in,
                  std::string_view error) override;
    void failed(const relay::delivery& row, std::int64_t tries, std::string_view error) override;
    void parked(std::string_view exchange, std::string_view routing_key, std::string_view why) override;
    void unparked(std::string_view exchange, std::string_view routing_key, std::optional<std::size_t> rows) override;
    void settled(std::size_t asked, std::size_t changed, std::chrono::microseconds took) override;
    void purged(const relay::purge_report& report) override;
    void receipts_up(std::string_view where) override;
    void receipts_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void receipts_taken(std::size_t changed, std::size_t unchanged, std::span<const std::string> unknown) override;
    void redelivered(std::size_t rows) override;

    void notice(const relay::notice_report& report) override;
    void dead_letters(const relay::letter_report& report) override;
    void management_up() override;
    void management_down(std::string_view why) override;
    void dead_letters_left_out(std::size_t queues) override;
    void dead_letters_trouble(std::string_view queue, std::string_view why) override;

    struct totals {
        std::uint64_t confirmed = 0;
        std::uint64_t failed = 0;  // for good
    };
    totals since_start() const { return {confirmed_, failed_}; }

    /// Writes what has become due: how many lines were left out, and each minute, if anything happened, the summary.
    /// To be called about every second.
    void tick();

    /// Writes the summary of what has happened since the last one, if anything has.
    void summarize();

  private:
    struct counters {
        std::atomic<std::uint64_t> published{0};  // reached a broker, or may have
        std::atomic<std::uint64_t> confirmed{0};
        std::atomic<std::uint64_t> retried{0};
        std::atomic<std::uint64_t> failed{0};
        std::atomic<std::uint64_t> duplicates{0};  // outcome unknown: sent again, perhaps twice
        std::atomic<std::uint64_t> elsewhere{0};   // settled or deleted by someone else meanwhile
        std::atomic<std::uint64_t> receipts{0};    // that made a row consumed
        std::atomic<std::uint64_t> redriven{0};    // dead letters
        std::atomic<std::uint64_t> filed{0};       // likewise
        std::atomic<std::uint64_t> told{0};        // failures, by the webhook
    };

    void say_left_out(throttle& one, std::string_view event, std::string_view what);

    log& out_;
    const relay::clock& clock_;
    counters since_;
    std::atomic<std::uint64_t> confirmed_{0};  // since the start
    std::atomic<std::uint64_t> failed_{0};     // likewise

    std::mutex mutex_;  // guards what follows
    repetition broker_down_;
    repetition receipts_down_;
    std::map<std::string, repetition, std::less<>> database_down_;   // by role
    std::map<std::string, repetition, std::less<>> database_error_;  // likewise
    throttle warnings_{10};
    throttle errors_{10};
    throttle retries_{10};
    throttle failures_{100};
    throttle parked_{20};
    throttle unknown_receipts_{5};
    bool ledger_stays_ = false;  // said
    throttle notices_{5};
    std::string management_down_;  // why, if it was said
    relay::time_point summarized_;
};

}  // namespace sidecar
