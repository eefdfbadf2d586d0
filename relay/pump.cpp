#include "relay/pump.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace relay {
namespace {

// Between two looks at what the broker says.
constexpr std::size_t rows_per_burst = 256;

delivery identity_of(const outbox::message& row) {
    return {row.id, row.exchange, row.routing_key, row.try_count, row.body.size(), due_since_of(row)};
}

}  // namespace

pump::pump(relay::publisher& publisher, const relay::lanes& lanes, send_queue& in, outcome_queue& out,
           relay::in_flight& in_flight, composer compose, observer& watch, std::function<void()> released,
           parking* park)
    : publisher_(publisher),
      lanes_(lanes),
      in_(in),
      out_(out),
      in_flight_(in_flight),
      composer_(std::move(compose)),
      watch_(watch),
      released_(std::move(released)),
      park_(park) {}

void pump::run_once(std::chrono::milliseconds wait) {
    if (taking_ && publisher_.state() == link::up)
        in_.open();
    else
        give_back(in_.shut());
    send_waiting();
    publisher_.poll(in_.size() > 0 && publisher_.room() > 0 ? std::chrono::milliseconds(0) : wait, outcomes_);
    pass_on();
}

void pump::send_waiting() {
    std::vector<std::string> closed;
    for (auto& row : in_.pop(std::min(publisher_.room(), rows_per_burst))) {
        if (lanes_.is_open(row.lane, row.lane_epoch))
            send(std::move(row));
        else
            closed.push_back(std::move(row.id));
    }
    give_back(std::move(closed));
}

void pump::send(outbox::message&& row) {
    if (park_ != nullptr) {
        if (auto instead = park_->hold_back(row)) {
            outcomes_.push_back({identity_of(row), std::move(*instead)});
            return;
        }
    }
    auto composed = composer_.compose(std::move(row), publisher_.max_body());
    if (auto* reason = std::get_if<impossible>(&composed))
        outcomes_.push_back({identity_of(row), std::move(*reason)});  // the row is as it was
    else
        publisher_.send(std::move(std::get<outgoing>(composed)), outcomes_);
}

void pump::pass_on() {
    if (outcomes_.empty()) return;
    std::vector<std::string> again;
    std::vector<attempt> decided;
    decided.reserve(outcomes_.size());
    watch_.attempted_all(outcomes_);
    for (auto& one : outcomes_) {
        if (park_ != nullptr) park_->judge(one);
        if (std::holds_alternative<unknown>(one.result))
            again.push_back(std::move(one.row.id));
        else
            decided.push_back(std::move(one));
    }
    outcomes_.clear();
    if (!decided.empty()) out_.push(std::move(decided));
    if (park_ != nullptr) park_->announce();
    give_back(std::move(again));
}

void pump::give_back(std::vector<std::string>&& ids) {
    if (ids.empty()) return;
    in_flight_.released(ids);
    released_();
}

void pump::stop_taking() {
    taking_ = false;
    give_back(in_.shut());
}

void pump::close() {
    stop_taking();
    publisher_.close(outcomes_);
    pass_on();
}

}  // namespace relay
