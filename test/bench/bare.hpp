#pragma once
// test/bench/bare.hpp - the ceilings: the least that has to be done, as fast as we can do it, without any of what makes
// it safe. What each leaves out stands beside it.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/bench/scene.hpp"

namespace bench {

/// Messages/s of one connection of rabbitmq-c, from the first confirm to the last: persistent, mandatory, with
/// confirms, with the properties, the headers and the window of the sidecar. Leaves out: which message a confirm is
/// for, returns, refusals, heartbeats, a lost connection. Counts in `confirmed` as it goes.
double bare_publisher_rate(const std::string& queue, std::size_t messages, const message_shape& of,
                           std::atomic<std::size_t>* confirmed = nullptr);

/// Rows/s of one connection of libmariadb that reads a page, throws it away and marks it as delivered. Leaves out:
/// keeping the rows, rows that are not plainly due, errors, reading and writing at the same time.
/// Before each page it calls `before_page` with the number of rows so far.
double bare_loop_rate(support::database& server, const support::table& in,
                      const std::function<void(std::size_t)>& before_page = {});

/// Messages/s of the bare publisher while the bare loop does the same rows beside it, no more than a window ahead: what
/// broker, database and two clients get done together on this machine.
double bare_pair_rate(const std::string& queue, support::database& server, const support::table& in,
                      std::size_t messages, const message_shape& of);

/// Takes the messages out of a queue, and notes when each came.
class bare_consumer {
  public:
    using time_point = std::chrono::steady_clock::time_point;

    bare_consumer(const std::string& queue, std::size_t most);
    ~bare_consumer();

    /// Until so many messages came. Throws std::runtime_error when they don't.
    void await(std::size_t count) const;
    /// When the message with this number in its body came, after await().
    time_point arrival(std::size_t number) const;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// Publishes so many messages a second over one connection, numbered from 0, for so long. Returns when it began to
/// publish each.
std::vector<bare_consumer::time_point> publish_bare_paced(const std::string& queue, int per_second, std::size_t count);

}  // namespace bench
