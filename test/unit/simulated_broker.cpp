#include "simulated_broker.hpp"

#include <variant>

namespace simulation {

void broker::send(relay::outgoing&& message, std::vector<relay::attempt>& outcomes) {
    if (state_ == relay::link::down) {
        outcomes.push_back({std::move(message.row), relay::unknown{false}});
        return;
    }
    sent.insert(message.row.id);
    on_send(message.row.id);
    wire_.push_back({next_tag_++, message.row.id, message.message_id, message.row.exchange});
    window_.sent(std::move(message.row), wire_.back().message_id, clock_.now());
}

void broker::poll(std::chrono::milliseconds, std::vector<relay::attempt>& outcomes) {
    const std::size_t before = outcomes.size();
    if (state_ == relay::link::down) {
        if (!away && chance(random_, 0.5)) state_ = relay::link::up;
    } else if (away || chance(random_, mishaps)) {
        cut(outcomes);
    } else {
        state_ = alarm ? relay::link::blocked : relay::link::up;
        if (!alarm) take_from_wire(outcomes);
        say_answers(outcomes);
    }
    count(outcomes, before);
}

void broker::take_from_wire(std::vector<relay::attempt>& outcomes) {
    for (std::size_t n = pick(random_, 40); n > 0 && !wire_.empty(); --n) {
        const auto one = wire_.front();
        wire_.pop_front();
        if (one.exchange == "missing")
            return close_channel(404, "NOT_FOUND - no exchange 'missing' in vhost '/'", outcomes);
        if (one.exchange == "forbidden")
            return close_channel(403, "ACCESS_REFUSED - write access to exchange 'forbidden' in vhost '/' refused",
                                 outcomes);
        if (one.exchange == "poison") return close_channel(406, "PRECONDITION_FAILED - something is odd", outcomes);
        if (one.exchange == "unroutable" && !bound) {
            window_.returned(one.message_id, 312, "NO_ROUTE");
            answers_.push_back({one.tag, true});
        } else if (one.exchange == "refusing") {
            answers_.push_back({one.tag, false});
        } else {
            accept(one.id);
            answers_.push_back({one.tag, true});
        }
    }
}

void broker::say_answers(std::vector<relay::attempt>& outcomes) {
    while (!answers_.empty() && chance(random_, 0.8)) {
        // As far as all say the same, one answer can stand for several.
        std::size_t same = 1;
        while (same < answers_.size() && answers_[same].ack == answers_.front().ack) ++same;
        const std::size_t said = 1 + pick(random_, same);
        const auto last = answers_[said - 1];
        last.ack ? window_.acked(last.tag, true, outcomes) : window_.nacked(last.tag, true, outcomes);
        answers_.erase(answers_.begin(), answers_.begin() + static_cast<std::ptrdiff_t>(said));
    }
}

void broker::close_channel(int code, const std::string& text, std::vector<relay::attempt>& outcomes) {
    wire_.clear();
    answers_.clear();
    next_tag_ = 1;
    window_.channel_closed(code, text, outcomes);
}

void broker::cut(std::vector<relay::attempt>& outcomes) {
    client_died();
    window_.lost(outcomes);
    state_ = relay::link::down;
}

void broker::client_died() {
    // Some of what was written to the socket arrives all the same; nobody learns of it.
    while (!wire_.empty() && chance(random_, 0.7)) {
        const auto& exchange = wire_.front().exchange;
        if (exchange == "missing" || exchange == "forbidden" || exchange == "poison") break;
        if (wanted(exchange)) accept(wire_.front().id);
        wire_.pop_front();
    }
    wire_.clear();
    answers_.clear();
    next_tag_ = 1;
}

void broker::accept(const std::string& id) {
    ++taken[id];
    first_taken.try_emplace(id, clock_.database_now());
}

void broker::count(std::vector<relay::attempt>& outcomes, std::size_t from) {
    for (std::size_t i = from; i < outcomes.size(); ++i) {
        const auto& one = outcomes[i];
        if (std::holds_alternative<relay::unknown>(one.result))
            ++unknowns;
        else if (returned_free && std::holds_alternative<relay::returned>(one.result))
            continue;
        else if (!std::holds_alternative<relay::confirmed>(one.result) &&
                 !std::holds_alternative<relay::impossible>(one.result))
            ++tries[one.row.id];
    }
}

}  // namespace simulation
