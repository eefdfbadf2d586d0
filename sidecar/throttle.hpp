#pragma once
// sidecar/throttle.hpp - keeps a log readable when something happens very often. One thread at a time.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/clock.hpp"

namespace sidecar {

/// Lets a number of lines through in each second and counts the others.
class throttle {
  public:
    explicit throttle(std::uint64_t lines_per_second) : limit_(lines_per_second) {}

    bool allows(relay::time_point now) {
        if (now - began_ >= std::chrono::seconds{1}) {
            began_ = now;
            let_through_ = 0;
        }
        if (let_through_ < limit_) {
            ++let_through_;
            return true;
        }
        ++left_out_;
        return false;
    }

    /// How many were left out since the last call; 0 as long as more may join them within the second.
    std::uint64_t left_out(relay::time_point now) {
        return now - began_ < std::chrono::seconds{1} ? 0 : std::exchange(left_out_, 0);
    }

  private:
    std::uint64_t limit_;
    relay::time_point began_{};
    std::uint64_t let_through_ = 0;
    std::uint64_t left_out_ = 0;
};

/// Decides whether to say that something is still amiss: for each reason that is news, and else every 30 seconds.
class repetition {
  public:
    static constexpr std::chrono::seconds pause{30};
    /// Whatever gives new reasons without end is not listened to for longer than this.
    static constexpr std::size_t most_reasons = 8;

    bool worth_saying(std::string_view text, relay::time_point now) {
        if (texts_.empty() || now - at_ >= pause) {
            texts_.clear();
            at_ = now;
        } else if (texts_.size() == most_reasons || std::find(texts_.begin(), texts_.end(), text) != texts_.end()) {
            return false;
        }
        texts_.emplace_back(text);
        return true;
    }

    /// What comes next is news. False: there was nothing to forget.
    bool forget() {
        const bool said = !texts_.empty();
        texts_.clear();
        return said;
    }

  private:
    std::vector<std::string> texts_;  // said since at_
    relay::time_point at_{};
};

}  // namespace sidecar
