#pragma once
// relay/rabbitmq.hpp - the publisher for RabbitMQ.

#include <memory>

#include "conf/settings.hpp"
#include "relay/observer.hpp"
#include "relay/publisher.hpp"
#include "relay/random_source.hpp"

namespace relay {

/// Connects to the first broker that answers, in shuffled order, and to the next when it is lost; between rounds it
/// pauses with backoff. Declares the topology after each connect.
/// `window`: how many messages may await their confirm. Throws std::invalid_argument for an url it can't use.
std::unique_ptr<publisher> make_rabbitmq(const conf::broker& settings, const conf::topology& topology,
                                         std::size_t window, random_source random, observer& watch);

}  // namespace relay
