#include "relay/receipts.hpp"

#include <exception>
#include <utility>

namespace relay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t receipts_at_once = 500;
constexpr auto one_wait = 250ms;  // a stop may have to wait for it

}  // namespace

receipt_taker::receipt_taker(receipt_source& from, outbox::receipts& table, random_source draw, observer& watch)
    : from_(from), table_(table), draw_(std::move(draw)), watch_(watch), backoff_(100ms, 5s) {}

void receipt_taker::run_once() {
    if (batch_.empty()) batch_ = from_.take(receipts_at_once, one_wait);
    if (batch_.empty()) return;
    if (!record()) return from_.rest(backoff_.next(draw_()));
    from_.acknowledge();
    batch_.clear();
}

bool receipt_taker::record() {
    try {
        const auto taken = table_.take_receipts(batch_);
        if (!std::exchange(connected_, true)) watch_.database_up("receipts");
        what_failed_.clear();
        backoff_.reset();
        watch_.receipts_taken(taken.changed, batch_.size() - taken.changed - taken.unknown.size(), taken.unknown);
        return true;
    } catch (const std::exception& error) {
        if (std::exchange(connected_, false) || what_failed_ != error.what())
            watch_.database_down("receipts", error.what());
        what_failed_ = error.what();
        return false;
    }
}

}  // namespace relay
