#pragma once
// relay/backoff.hpp - pauses between attempts to reach a server again. Pure; one thread.

#include <algorithm>
#include <chrono>

namespace relay {

/// Doubles from `initial` to `most`; each pause is drawn from its upper half, so that a fleet does not knock in step.
class backoff {
  public:
    backoff(std::chrono::milliseconds initial, std::chrono::milliseconds most)
        : initial_(initial), most_(most), current_(initial) {}

    /// `draw` is uniform in [0, 1).
    std::chrono::milliseconds next(double draw) {
        const auto pause = current_;
        current_ = std::min(current_ * 2, most_);
        const auto half = static_cast<double>(pause.count()) / 2;
        return std::chrono::milliseconds(static_cast<std::int64_t>(half + half * draw));
    }

    void reset() { current_ = initial_; }

    /// No pause was taken since the last reset.
    bool fresh() const { return current_ == initial_; }

  private:
    const std::chrono::milliseconds initial_;
    const std::chrono::milliseconds most_;
    std::chrono::milliseconds current_;
};

}  // namespace relay
