#include "relay/emptiness.hpp"

#include <algorithm>
#include <utility>

namespace relay {
namespace {

using namespace std::chrono_literals;

// Looks may take this share of the time, 1/n: with many rows waiting for another try, one costs seconds.
constexpr int share = 20;
constexpr std::chrono::milliseconds least_pause = 250ms;
constexpr std::chrono::milliseconds longest_pause = 30s;

}  // namespace

emptiness::emptiness(outbox::unfinished_rows& table, const relay::clock& clock, random_source draw, observer& watch)
    : table_(table), clock_(clock), draw_(std::move(draw)), watch_(watch), backoff_(100ms, 5s) {}

std::optional<std::chrono::milliseconds> emptiness::run_once() {
    try {
        const auto began = clock_.now();
        const auto left = table_.left();
        if (!std::exchange(connected_, true)) watch_.database_up("emptiness");
        what_failed_.clear();
        backoff_.reset();
        delayed_ = left.delayed;
        if (!left.unfinished) return std::nullopt;
        const auto cost = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - began);
        return std::clamp(cost * share, least_pause, longest_pause);
    } catch (const outbox::store_unavailable& error) {
        return failed(error.what());
    } catch (const outbox::store_busy& error) {
        return failed(error.what());
    } catch (const outbox::store_error& error) {
        return failed(error.what());
    }
}

std::chrono::milliseconds emptiness::failed(const char* what) {
    if (std::exchange(connected_, false) || what_failed_ != what) watch_.database_down("emptiness", what);
    what_failed_ = what;
    return backoff_.next(draw_());
}

}  // namespace relay
