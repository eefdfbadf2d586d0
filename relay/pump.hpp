#pragma once
// relay/pump.hpp - keeps the publisher busy: rows in, outcomes out.

#include <chrono>
#include <functional>
#include <vector>

#include "relay/compose.hpp"
#include "relay/in_flight.hpp"
#include "relay/lanes.hpp"
#include "relay/observer.hpp"
#include "relay/outcome_queue.hpp"
#include "relay/parking.hpp"
#include "relay/publisher.hpp"
#include "relay/send_queue.hpp"

namespace relay {

/// One thread, the publisher's.
class pump {
  public:
    /// `released` is called after rows were given back: they are to be read again. Without `park`, nothing is parked.
    pump(relay::publisher& publisher, const relay::lanes& lanes, send_queue& in, outcome_queue& out,
         relay::in_flight& in_flight, composer compose, observer& watch, std::function<void()> released,
         parking* park = nullptr);

    /// Sends what there is room for, then lets the publisher work for at most `wait`. A row whose lane is not open any
    /// more is given back instead.
    void run_once(std::chrono::milliseconds wait);

    /// The first part of a stop: takes no more rows in. Outcomes still come out of run_once().
    void stop_taking();
    std::size_t outstanding() const { return publisher_.outstanding(); }

    /// The last part: closes the link. What has no outcome by now is given back.
    void close();

  private:
    void send_waiting();
    void send(outbox::message&& row);
    void pass_on();
    void give_back(std::vector<std::string>&& ids);

    relay::publisher& publisher_;
    const relay::lanes& lanes_;
    send_queue& in_;
    outcome_queue& out_;
    relay::in_flight& in_flight_;
    const composer composer_;
    observer& watch_;
    const std::function<void()> released_;
    parking* const park_;

    bool taking_ = true;
    std::vector<attempt> outcomes_;
};

}  // namespace relay
