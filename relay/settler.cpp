#include "relay/settler.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "relay/verdict.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto until_rung = 500ms;
constexpr auto deferral = 5s;
constexpr std::size_t parts = 8;

}  // namespace

settler::settler(outbox::settlements& store, relay::in_flight& in_flight, outcome_queue& in, const relay::clock& clock,
                 random_source draw, observer& watch, retry_rules rules, limits settings, std::function<void()> settled,
                 parking* park)
    : store_(store),
      in_flight_(in_flight),
      in_(in),
      clock_(clock),
      draw_(std::move(draw)),
      watch_(watch),
      rules_(std::move(rules)),
      limits_(settings),
      settled_(std::move(settled)),
      park_(park),
      backoff_(100ms, 5s) {}

milliseconds settler::run_once() {
    try {
        if (const auto wait = pause_left(); wait > 0ms) return release_some() ? 0ms : wait;
        auto rows = next_batch();
        const bool any = !rows.empty();
        if (any) record(std::move(rows));
        return release_some() || any ? 0ms : until_rung;
    } catch (const outbox::store_unavailable& error) {
        stuck_ = true;
        // `record` has put the batch back. The confirms are known here alone: they are kept for when it is back.
        if (std::exchange(connected_, false) || backoff_.fresh()) watch_.database_down("settler", error.what());
        return backoff_.next(draw_());
    }
}

milliseconds settler::pause_left() const {
    if (const auto fresh = in_.size(); !waiting_.empty() || fresh == 0 || fresh >= limits_.batch_rows) return 0ms;
    return std::chrono::ceil<milliseconds>(next_at_ - clock_.now());
}

settler::batch settler::next_batch() {
    if (!waiting_.empty()) {
        batch rows = std::move(waiting_.front());
        waiting_.pop_front();
        return rows;
    }
    if (auto fresh = in_.pop(limits_.batch_rows); !fresh.empty()) {
        taken_in_ += fresh.size();
        return judged(std::move(fresh));
    }

    batch rows;
    const auto now = clock_.now();
    while (!deferred_.empty() && deferred_.front().until <= now && rows.size() < limits_.batch_rows) {
        rows.push_back(std::move(deferred_.front().row));
        deferred_.pop_front();
    }
    return rows;
}

settler::batch settler::judged(std::vector<attempt>&& attempts) {
    batch rows;
    std::vector<std::string> released;
    rows.reserve(attempts.size());
    for (auto& one : attempts) {
        if (auto row = judge(one, rules_, draw_())) {
            if (row->what == outbox::settlement::kind::retry)
                watch_.retrying(one.row, row->try_count, row->delay, row->error);
            else if (row->what == outbox::settlement::kind::failed)
                watch_.failed(one.row, row->try_count, row->error);
            rows.push_back(std::move(*row));
        } else {
            released.push_back(std::move(one.row.id));
        }
    }
    in_flight_.released(released);
    return rows;
}

void settler::record(batch&& rows) {
    std::size_t changed = 0;
    const auto began = clock_.now();
    next_at_ = began + limits_.pause;
    try {
        changed = store_.settle(rows);
    } catch (const outbox::store_busy& error) {
        return divide(std::move(rows), error.what());
    } catch (const outbox::store_error& error) {
        return divide(std::move(rows), error.what());
    } catch (...) {
        waiting_.push_front(std::move(rows));
        throw;
    }
    if (!std::exchange(connected_, true)) watch_.database_up("settler");
    stuck_ = false;
    if (const auto why = store_.unfiled()) watch_.database_error("settler", "failures can't be filed: " + *why);
    backoff_.reset();
    std::vector<std::string> ids;
    ids.reserve(rows.size());
    for (auto& row : rows) ids.push_back(std::move(row.id));
    in_flight_.settled(ids);
    watch_.settled(ids.size(), changed, std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - began));
    settled_();
}

// One row that can't be recorded now must not keep the others from it: divide until it stands alone. In few steps, as a
// locked row costs a lock wait at each.
void settler::divide(batch&& rows, const char* why) {
    if (rows.size() == 1) {
        watch_.database_error("settler", "row '" + rows.front().id + "' can't be settled now: " + why);
        deferred_.push_back({clock_.now() + deferral, std::move(rows.front())});
        return;
    }
    const std::size_t size = (rows.size() + parts - 1) / parts;
    for (std::size_t at = (rows.size() - 1) / size * size + size; at > 0; at -= size) {
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(at - size);
        const auto end = rows.begin() + static_cast<std::ptrdiff_t>(std::min(at, rows.size()));
        waiting_.emplace_front(std::make_move_iterator(begin), std::make_move_iterator(end));
    }
}

// Not before all that was parked until that time is recorded: an outcome that can't be now, of a row that is locked,
// say, waits for its time. False: there is nothing to do.
bool settler::release_some() {
    if (park_ == nullptr) return false;
    for (auto& order : park_->orders()) releases_.push_back({std::move(order), taken_in_ + in_.size(), {}, 0});
    if (releases_.empty() || !waiting_.empty() || taken_in_ < releases_.front().after) return false;
    if (clock_.now() < release_at_) return false;
    auto& one = releases_.front();
    try {
        auto step = store_.release(one.order.times.back(), one.next, limits_.batch_rows);
        one.rows += step.rows;
        one.next = std::move(step.next);
        if (!one.next) one.order.times.pop_back();
    } catch (const outbox::store_busy&) {
        release_at_ = clock_.now() + deferral;  // somebody holds one of them; to wait for that costs the others
        return false;
    } catch (const outbox::store_error& error) {
        watch_.database_error("settler",
                              std::string("parked rows can't be released before their time: ") + error.what());
        one.order.times.clear();
    }
    if (one.order.times.empty()) {
        watch_.unparked(one.order.exchange, one.order.routing_key, one.rows);
        releases_.pop_front();
    }
    settled_();
    return true;
}

std::vector<outbox::settlement> settler::hand_over() {
    batch all;
    const auto append = [&](batch&& rows) { std::move(rows.begin(), rows.end(), std::back_inserter(all)); };
    for (auto& rows : std::exchange(waiting_, {})) append(std::move(rows));
    for (auto& one : std::exchange(deferred_, {})) all.push_back(std::move(one.row));
    for (auto fresh = in_.pop(limits_.batch_rows); !fresh.empty(); fresh = in_.pop(limits_.batch_rows))
        append(judged(std::move(fresh)));
    return all;
}

void settler::take_over(std::vector<outbox::settlement>&& rows) {
    std::vector<std::string> ids;
    for (const auto& one : rows) ids.push_back(one.id);
    in_flight_.hold(ids);
    for (auto& one : rows) {
        if (waiting_.empty() || waiting_.back().size() >= limits_.batch_rows) waiting_.emplace_back();
        waiting_.back().push_back(std::move(one));
    }
}

void settler::abandon_releases() { releases_.clear(); }

std::size_t settler::unsettled() const {
    std::size_t count = deferred_.size();
    for (const auto& rows : waiting_) count += rows.size();
    return count;
}

}  // namespace relay
