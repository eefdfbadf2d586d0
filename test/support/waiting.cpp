#include "test/support/waiting.hpp"

#include <thread>

namespace support {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds between_looks(5);

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds at_most) {
    const auto deadline = clock::now() + at_most;
    while (!condition()) {
        if (clock::now() >= deadline) return false;
        std::this_thread::sleep_for(between_looks);
    }
    return true;
}

bool holds_for(std::chrono::milliseconds period, const std::function<bool()>& condition) {
    const auto end = clock::now() + period;
    while (clock::now() < end) {
        if (!condition()) return false;
        std::this_thread::sleep_for(between_looks);
    }
    return condition();
}

}  // namespace support
