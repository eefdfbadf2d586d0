#pragma once
// relay/clock.hpp - the process's monotonic clock, injected so that tests can turn it. The time of rows is never taken
// from here: that is the database's.

#include <chrono>

namespace relay {

using time_point = std::chrono::steady_clock::time_point;

class clock {
  public:
    virtual ~clock() = default;
    virtual time_point now() const = 0;
};

class steady_clock final : public clock {
  public:
    time_point now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace relay
