#pragma once
// sidecar/interruption.hpp - a stop asked for while a command works through many rows.

#include <chrono>
#include <memory>

namespace sidecar {

/// Notices SIGINT and SIGTERM between batches, so that none is cut in two. One at a time.
class interruption {
  public:
    interruption();
    ~interruption();

    /// Waits for that long, or until a signal comes. False: stop.
    bool pause(std::chrono::milliseconds time);

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sidecar
