#pragma once
// sidecar/service.hpp - the relay as a whole: builds its parts, gives each its thread, and stops them in order.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "outbox/store.hpp"
#include "relay/observer.hpp"
#include "sidecar/pause_switch.hpp"

namespace sidecar {

/// What a stop left behind.
struct farewell {
    std::size_t in_flight = 0;    // rows on their way when the stop began
    std::size_t unconfirmed = 0;  // of those, given up: the broker had not answered; they will be sent again
    std::size_t unsettled = 0;    // of those, answered but not recorded: they will be sent again, as duplicates
    std::vector<outbox::settlement> handed_over;  // answered, and left to the next service to be recorded
    std::chrono::milliseconds took{0};
};

/// The threads run from construction to stop(). Call all functions from one thread.
class service {
  public:
    /// `emptied`, if given, is called once, from another thread, when nothing is left to deliver (relay/emptiness.hpp);
    /// with the number of rows that the application has put off. The relay goes on until stop().
    /// While `pause`, if given, is on, no row is taken up; those in flight are finished.
    /// `taken_over`: what a service at the same table has handed over.
    /// Throws std::invalid_argument for settings that can't be used (an url, a cron expression).
    service(const conf::settings& settings, relay::observer& watch, std::function<void(std::uint64_t)> emptied = {},
            const pause_switch* pause = nullptr, std::vector<outbox::settlement> taken_over = {});
    ~service();

    /// The owner that stands in msg_lane: settings.relay.instance or host:pid, and what makes it unlike any other.
    const std::string& instance() const;

    /// Stops taking rows up, awaits confirms, settles, releases the lanes, closes; at most `drain_timeout`, or until
    /// cut_short(). `hand_over`: outcomes that the database does not take now are handed over instead of waited for.
    farewell stop(bool hand_over = false);

    /// Makes a stop() that is under way give up waiting. From any thread.
    void cut_short();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sidecar
