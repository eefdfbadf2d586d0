#pragma once
// relay/publisher.hpp - one connection to a broker that confirms what it has taken. relay/rabbitmq.cpp is the one for
// RabbitMQ, relay/log_publisher.cpp stands in for a broker where there is none; another broker is one more file.

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "conf/settings.hpp"
#include "relay/observer.hpp"
#include "relay/outcome.hpp"
#include "relay/outgoing.hpp"
#include "relay/random_source.hpp"

namespace relay {

enum class link {
    down,     // not connected; poll() tries again at its own pace
    blocked,  // connected, but the broker takes nothing at present
    up,
};

/// Everything but wake() and abort() belongs to one thread.
class publisher {
  public:
    virtual ~publisher() = default;

    virtual link state() const = 0;

    /// How many messages may be handed over now: 0 unless the link is up, and when the window is full.
    virtual std::size_t room() const = 0;

    /// The largest body that the broker is known to take, in bytes; 0: not known.
    virtual std::uint64_t max_body() const = 0;

    /// Hands one message over, without waiting for its confirm. Its outcome is appended here or by a later poll(),
    /// once. When the link has gone down, that is `unknown`, not sent.
    virtual void send(outgoing&& message, std::vector<attempt>& outcomes) = 0;

    /// Does what is to be done on the wire (connecting included), for at most `wait`, less when there is something to
    /// report or after wake(). Appends the outcomes known since. Never throws for anything the broker does.
    virtual void poll(std::chrono::milliseconds wait, std::vector<attempt>& outcomes) = 0;

    /// Messages handed over whose outcome poll() has not given yet.
    virtual std::size_t outstanding() const = 0;

    /// Says goodbye to the broker. What is outstanding comes out as unknown.
    virtual void close(std::vector<attempt>& outcomes) = 0;

    /// Ends a poll() that waits. Any thread.
    virtual void wake() = 0;

    /// Cuts the connection under a call that the broker holds up. Any thread.
    virtual void abort() = 0;
};

/// The publisher for what broker.urls names. Does not connect. `window`: how many messages may await their confirm.
/// Throws std::invalid_argument for an url it can't use.
std::unique_ptr<publisher> make_publisher(const conf::broker& settings, const conf::topology& topology,
                                          std::size_t window, random_source random, observer& watch);

}  // namespace relay
