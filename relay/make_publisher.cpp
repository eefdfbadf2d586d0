#include <unistd.h>

#include "conf/checks.hpp"
#include "relay/log_publisher.hpp"
#include "relay/rabbitmq.hpp"

namespace relay {

std::unique_ptr<publisher> make_publisher(const conf::broker& settings, const conf::topology& topology,
                                          std::size_t window, random_source random, observer& watch) {
    if (conf::names_log(settings.urls)) return make_log_publisher(STDOUT_FILENO, watch);
    return make_rabbitmq(settings, topology, window, std::move(random), watch);
}

}  // namespace relay
