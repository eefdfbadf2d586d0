#pragma once
// relay/broker_doctor.hpp - looks at the brokers for `doctor`. Changes nothing there: it only asks what exists.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "conf/settings.hpp"
#include "outbox/store.hpp"

namespace relay {

struct broker_examination {
    bool reachable = false;  // at least one of the brokers, with a login
    std::vector<outbox::finding> findings;
};

/// Connects to each of the brokers, one after the other. `pending` are the exchanges that waiting rows name, with their
/// numbers. Throws std::invalid_argument for an url that can't be used.
broker_examination examine_brokers(const conf::settings& settings,
                                   const std::vector<std::pair<std::string, std::uint64_t>>& pending);

}  // namespace relay
