#pragma once
// sidecar/vitals.hpp - whether the process is of use: what the probes are answered.

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "relay/clock.hpp"
#include "relay/observer.hpp"

namespace sidecar {

struct verdict {
    bool good = true;
    std::vector<std::string> reasons;  // why not
};

/// Any thread.
class vitals final : public relay::observer {
  public:
    vitals(const conf::settings& settings, const relay::clock& clock);

    /// A relay begins with these settings, connected to nothing yet; it is to stop.
    void starting(const conf::settings& settings);
    void stopping();

    /// Told to take up no rows, or to do so again: it is as ready as before.
    void paused(bool is);

    /// Each loop has turned within its limit. What the broker and the database do is no part of it: a loop goes on
    /// turning while they are away, and within its limit while they are slow.
    verdict live() const;

    /// Messages could be relayed now, or, by one that stands by, as soon as it is needed.
    verdict ready() const;

    /// Each loop has turned once.
    verdict started() const;

    void broker_up(std::string_view where) override;
    void broker_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void broker_blocked(std::string_view reason) override;
    void broker_unblocked() override;
    void database_up(std::string_view role) override;
    void database_down(std::string_view role, std::string_view why) override;
    void lane_taken(unsigned lane, unsigned of) override;
    void lane_lost(unsigned lane, std::string_view why) override;
    void lane_released(unsigned lane, std::string_view to) override;
    void lanes_unprotected() override;
    void turned(relay::loop which) override;

  private:
    static constexpr std::size_t loops = 4;

    // nullopt: fine. What it is not, in words.
    using trouble = std::optional<std::string>;

    void limit(const conf::settings& settings);

    const relay::clock& clock_;
    std::array<std::atomic<relay::time_point>, loops> turned_at_{};  // of this relay; {}: not yet

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    std::array<std::chrono::milliseconds, loops> limits_{};
    relay::time_point started_at_;
    bool stopping_ = false;
    bool paused_ = false;
    trouble broker_;
    trouble blocked_;
    std::map<std::string, trouble, std::less<>> database_;  // by role
    std::set<unsigned> lanes_;
};

}  // namespace sidecar
