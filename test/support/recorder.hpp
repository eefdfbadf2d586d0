#pragma once
// test/support/recorder.hpp - writes down what the relay tells its observer.

#include <array>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "relay/observer.hpp"

namespace support {

/// Thread-safe.
class recorder final : public relay::observer {
  public:
    /// How often each has happened.
    struct figures {
        std::size_t confirmed = 0, returned = 0, refused = 0, no_exchange = 0, impossible = 0, unknown = 0;
        std::size_t parked = 0;
        std::size_t maybe_sent = 0;  // of the unknown ones: each may have become a duplicate
        std::size_t up = 0, down = 0, blocked = 0, unblocked = 0, warnings = 0;
        std::size_t reader_down = 0, settler_down = 0, database_errors = 0;
        std::size_t settled_asked = 0, settled_changed = 0;
        std::size_t receipts_up = 0, receipts_down = 0;
        std::size_t receipts_recorded = 0, receipts_unchanged = 0, receipts_unknown = 0;
    };
    figures so_far() const;

    /// Whether the broker went down, or was not to be had, for a reason in which these words occur; likewise the
    /// others.
    bool broker_down_for(std::string_view words) const;
    bool warned_of(std::string_view words) const;
    bool database_down_for(std::string_view words) const;
    bool said_of_database(std::string_view words) const;  // down, or an error
    bool took_a_lane() const;
    /// Everything said, for the message of a failed test.
    std::string all() const;

    void broker_up(std::string_view where) override;
    void broker_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void broker_blocked(std::string_view reason) override;
    void broker_unblocked() override;
    void broker_warning(std::string_view text) override;
    void database_down(std::string_view role, std::string_view why) override;
    void database_error(std::string_view role, std::string_view what) override;
    void lane_taken(unsigned lane, unsigned of) override;
    void attempted(const relay::attempt& one) override;
    void settled(std::size_t asked, std::size_t changed, std::chrono::microseconds took) override;
    void receipts_up(std::string_view where) override;
    void receipts_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void receipts_taken(std::size_t changed, std::size_t unchanged, std::span<const std::string> unknown) override;

  private:
    enum class topic {
        up,
        down,
        blocked,
        unblocked,
        warning,
        database_down,
        database_error,
        lane_taken,
        receipts_up,
        receipts_down
    };
    struct remark {
        std::chrono::milliseconds at;  // since the beginning
        topic about;
        std::string text;
    };

    void note(topic about, std::string text);
    bool said(topic about, std::string_view words) const;

    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    figures figures_;
    std::vector<remark> remarks_;
};

}  // namespace support
