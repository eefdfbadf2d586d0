#pragma once
// relay/notice_teller.hpp - tells somebody of each new entry of the ledger, at least once, off the way of the rows.

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "outbox/notices.hpp"
#include "relay/clock.hpp"
#include "relay/notice_policy.hpp"
#include "relay/observer.hpp"

namespace relay {

/// Bytes of a payload that are told, at most.
inline constexpr std::size_t most_payload_told = 256 * 1024;

class notice_sender {
  public:
    virtual ~notice_sender() = default;

    /// One POST; blocks no longer than its timeout. `payload`: its beginning, if it is to be told.
    virtual notice_answer send(const std::string& url, const outbox::notice& what,
                               const std::optional<std::string>& payload) = 0;
};

/// One thread.
class notice_teller {
  public:
    /// `in_charge`: whether it is for this sidecar to do, as one tells for all of them. Should two do so for a moment,
    /// some are told twice. `pause` waits, and returns false to stop.
    notice_teller(outbox::notices& table, const conf::webhook& settings, notice_sender& sender, const clock& clock,
                  observer& watch, std::function<bool()> in_charge,
                  std::function<bool(std::chrono::milliseconds)> pause);

    /// Looks for what is due and tells it, at most twenty and `rate` a second. Returns how long to wait then.
    std::chrono::milliseconds run_once();

  private:
    // A receiver that was away is left alone for a while, so that it does not hold up what is for others.
    struct endpoint {
        std::int64_t failures = 0;  // in a row
        time_point rests_until{};
        std::string why;
    };

    bool tell(const outbox::notice& one);
    std::chrono::milliseconds rest_of_all() const;
    void record(outbox::notice_outcome one);
    void record_kept();
    void failed(const char* what);

    outbox::notices& table_;
    const conf::webhook settings_;
    notice_sender& sender_;
    const clock& clock_;
    observer& watch_;
    const std::function<bool()> in_charge_;
    const std::function<bool(std::chrono::milliseconds)> pause_;

    bool leading_ = false;
    bool looked_ = false;  // for the first time
    bool connected_ = false;
    bool has_table_ = false;
    std::string what_failed_;  // reported already
    time_point forget_at_{};
    time_point post_at_{};  // not before, by the rate
    std::map<std::string, endpoint> endpoints_;
    std::vector<outbox::notice_outcome> kept_;  // known, but not recorded yet
};

}  // namespace relay
