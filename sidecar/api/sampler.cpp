#include "sidecar/api/sampler.hpp"

#include <algorithm>
#include <cmath>

namespace sidecar::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t short_samples = 1h / sampler::short_step;
constexpr std::size_t long_samples = 24h / sampler::long_step;
constexpr std::size_t most_queues = 1'000;
constexpr double bound_ratio = 1.15;

double seconds(std::chrono::duration<double> time) { return time.count(); }

outbox::epoch_ms wall_clock_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void keep(std::deque<sample>& all, sample&& one, std::size_t most) {
    if (all.size() == most) all.pop_front();
    all.push_back(std::move(one));
}

std::uint64_t rows_of(const outbox::census& census, outbox::status of) {
    const auto found = census.rows.find(of);
    return found == census.rows.end() ? 0 : found->second;
}

}  // namespace

void sampler::lags::add(double ms) {
    const auto place = ms <= 1 ? 0 : static_cast<std::size_t>(std::log(ms) / std::log(bound_ratio)) + 1;
    ++counts_[std::min(place, counts_.size() - 1)];
    ++all_;
}

void sampler::lags::add(const lags& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    all_ += other.all_;
}

std::optional<double> sampler::lags::quantile(double q) const {
    if (all_ == 0) return std::nullopt;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(all_)));
    std::uint64_t seen = 0;
    std::size_t i = 0;
    for (; i + 1 < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= wanted) break;
    }
    return std::round(std::pow(bound_ratio, static_cast<double>(i)) * 10) / 10;
}

void sampler::tick(outbox::epoch_ms wall_clock) {
    if (!on_) return;
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    if (short_.began == relay::time_point{}) short_.began = long_.began = now;
    if (now - short_.began < short_step) return;
    long_.confirmed += short_.confirmed;
    long_.failed_attempts += short_.failed_attempts;
    long_.lag.add(short_.lag);
    keep(hour_, end_of(short_, now, wall_clock), short_samples);
    short_ = {};
    short_.began = now;
    if (now - long_.began < long_step) return;
    keep(day_, end_of(long_, now, wall_clock), long_samples);
    long_ = {};
    long_.began = now;
}

sample sampler::end_of(const step& one, relay::time_point now, outbox::epoch_ms wall_clock) const {
    sample result;
    result.time = wall_clock;
    if (const auto& census = state_.census) {
        result.due = census->due;
        result.delivering = rows_of(*census, outbox::status::delivering);
        result.failed = rows_of(*census, outbox::status::failed);
    }
    result.in_flight = in_flight_;
    const auto took = seconds(now - one.began);
    result.confirmed_per_s = static_cast<double>(one.confirmed) / took;
    result.failed_attempts_per_s = static_cast<double>(one.failed_attempts) / took;
    result.lag_p50_ms = one.lag.quantile(0.5);
    result.lag_p99_ms = one.lag.quantile(0.99);
    return result;
}

relay_state sampler::state() const {
    const std::lock_guard lock(mutex_);
    auto result = state_;
    result.in_flight = in_flight_;
    result.lanes_held = lanes_.size();
    result.totals.retries = retries_;
    result.totals.failed = failures_;
    return result;
}

std::vector<sample> sampler::samples(std::chrono::seconds apart, std::size_t most) const {
    const std::lock_guard lock(mutex_);
    const auto& all = apart == short_step ? hour_ : day_;
    return {all.end() - static_cast<std::ptrdiff_t>(std::min(most, all.size())), all.end()};
}

void sampler::ended() {
    const std::lock_guard lock(mutex_);
    state_.broker_connected = state_.broker_blocked = false;
    state_.broker_reason.clear();
    state_.census.reset();
    in_flight_ = 0;
    lanes_.clear();
    for (auto& [queue, one] : state_.letters) one.length.reset();
}

void sampler::broker_up(std::string_view) {
    const std::lock_guard lock(mutex_);
    state_.broker_connected = true;
    state_.broker_blocked = false;
    state_.broker_reason.clear();
}

void sampler::broker_down(std::string_view why, std::chrono::milliseconds) {
    const std::lock_guard lock(mutex_);
    state_.broker_connected = state_.broker_blocked = false;
    state_.broker_reason = why;
}

void sampler::broker_blocked(std::string_view reason) {
    const std::lock_guard lock(mutex_);
    state_.broker_blocked = true;
    state_.broker_reason = reason;
}

void sampler::broker_unblocked() {
    const std::lock_guard lock(mutex_);
    state_.broker_blocked = false;
    state_.broker_reason.clear();
}

void sampler::lane_taken(unsigned lane, unsigned) {
    const std::lock_guard lock(mutex_);
    lanes_.insert(lane);
}

void sampler::lane_lost(unsigned lane, std::string_view) { lane_released(lane, {}); }

void sampler::lane_released(unsigned lane, std::string_view) {
    const std::lock_guard lock(mutex_);
    lanes_.erase(lane);
}

void sampler::lanes_unprotected() { lane_taken(0, 1); }

void sampler::attempted_all(std::span<const relay::attempt> batch) {
    if (!on_) return;
    const auto now = clock_.now();
    const std::lock_guard lock(mutex_);
    std::optional<double> database_now;  // epoch ms
    if (clock_base_) database_now = static_cast<double>(*clock_base_) + 1000 * seconds(now - clock_asked_);
    auto& totals = state_.totals;
    // In the order of relay::outcome, whose last, parked, is no attempt.
    const std::array counts = {&totals.confirmed,   &totals.returned,   &totals.refused,
                               &totals.no_exchange, &totals.impossible, &totals.unknown};
    static_assert(std::variant_size_v<relay::outcome> == std::tuple_size_v<decltype(counts)> + 1);
    for (const auto& one : batch) {
        if (std::holds_alternative<relay::parked>(one.result)) continue;
        ++*counts[one.result.index()];
        if (const auto* unknown = std::get_if<relay::unknown>(&one.result))
            totals.possible_duplicates += unknown->maybe_sent ? 1 : 0;
        if (!std::holds_alternative<relay::confirmed>(one.result)) {
            ++short_.failed_attempts;
            continue;
        }
        ++short_.confirmed;
        if (one.row.due_since && database_now)
            short_.lag.add(std::max(0.0, *database_now - static_cast<double>(*one.row.due_since)));
    }
}

void sampler::retrying(const relay::delivery&, std::int64_t, std::chrono::milliseconds, std::string_view) {
    if (on_) ++retries_;
}

void sampler::failed(const relay::delivery&, std::int64_t, std::string_view) {
    if (on_) ++failures_;
}

void sampler::purged(const relay::purge_report& report) {
    const std::lock_guard lock(mutex_);
    for (const auto& line : report.lines) state_.totals.purged += line.rows;
}

void sampler::receipts_taken(std::size_t changed, std::size_t, std::span<const std::string>) {
    if (!on_) return;
    const std::lock_guard lock(mutex_);
    state_.totals.receipts += changed;
}

void sampler::carrying(std::size_t rows) { in_flight_ = rows; }

void sampler::database_clock(outbox::epoch_ms now, relay::time_point asked, std::chrono::microseconds) {
    if (!on_) return;
    const std::lock_guard lock(mutex_);
    clock_base_ = now;
    clock_asked_ = asked;
}

void sampler::counted(const std::optional<outbox::census>& what) {
    const std::lock_guard lock(mutex_);
    state_.census = what;
    state_.counted_at = wall_clock_now();
}

void sampler::dead_letters(const relay::letter_report& report) {
    const std::lock_guard lock(mutex_);
    const std::string queue(report.queue);
    if (report.dropped) {
        state_.letters.erase(queue);
        return;
    }
    if (state_.letters.count(queue) == 0 && state_.letters.size() == most_queues) return;
    auto& one = state_.letters[queue];
    if (report.length) {
        one.length = report.length;
        state_.letters_trouble.clear();
    }
    if (report.redriven + report.filed > 0 && report.refused == 0) one.trouble.clear();
    one.redriven += report.redriven;
    one.filed += report.filed;
    one.refused += report.refused;
    state_.totals.redriven += report.redriven;
}

void sampler::dead_letters_trouble(std::string_view queue, std::string_view why) {
    const std::lock_guard lock(mutex_);
    if (queue.empty())
        state_.letters_trouble = why;
    else if (state_.letters.size() < most_queues)
        state_.letters[std::string(queue)].trouble = why;
}

}  // namespace sidecar::api
