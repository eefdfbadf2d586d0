#include "relay/census_taker.hpp"

#include <algorithm>
#include <utility>

namespace relay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// About 20 ms of an index each.
constexpr std::uint64_t rows_counted = 100'000;

constexpr auto patience = 5s;  // a stop may have to wait for it
constexpr auto between_counts = 10s;
constexpr auto between_looks = 1s;
constexpr int share = 20;  // of the time at most one part in so many is spent counting

}  // namespace

census_taker::census_taker(outbox::counting& table, const relay::clock& clock, observer& watch,
                           std::function<bool()> in_charge, std::optional<milliseconds> overdue)
    : table_(table), clock_(clock), watch_(watch), in_charge_(std::move(in_charge)), overdue_(overdue) {}

milliseconds census_taker::run_once() {
    if (!in_charge_()) {
        if (std::exchange(counting_, false)) watch_.counted(std::nullopt);
        return between_looks;
    }
    counting_ = true;
    const auto began = clock_.now();
    try {
        const auto found = table_.count_up_to(rows_counted, patience, overdue_);
        if (!std::exchange(connected_, true)) watch_.database_up("counter");
        what_failed_.clear();
        watch_.counted(found);
    } catch (const std::exception& error) {
        if (std::exchange(connected_, false) || what_failed_ != error.what())
            watch_.database_down("counter", error.what());
        what_failed_ = error.what();
    }
    const auto took = std::chrono::ceil<milliseconds>(clock_.now() - began);
    return std::max<milliseconds>(between_counts, share * took);
}

}  // namespace relay
