#include "relay/confirm_window.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace relay {
namespace {

constexpr int precondition_failed = 406;

bool names(std::string_view text, std::string_view what, std::string_view name) {
    std::string quoted(what);
    quoted.append(" '").append(name).append("'");
    return text.find(quoted) != text.npos;
}

// RabbitMQ's texts: "NOT_FOUND - no exchange 'orders' in vhost '/'", "ACCESS_REFUSED - write access to exchange
// 'orders' in vhost '/' refused for user 'u'", "… access to topic 'a.b' in exchange 'orders' …". Only names that are on
// their way are looked for, so that no quote in a name leads astray.
bool is_accused(const delivery& row, int code, std::string_view text) {
    if (code == precondition_failed) {
        const auto limit = size_limit_named_in(text);
        return limit && row.body_size > *limit;
    }
    const std::string_view exchange = row.exchange.empty() ? std::string_view("amq.default") : row.exchange;
    if (!names(text, "exchange", exchange)) return false;
    return text.find("topic '") == text.npos || names(text, "topic", row.routing_key);
}

outcome guilt(int code, std::string_view text) {
    if (code == precondition_failed) return impossible{std::to_string(code) + " " + std::string(text)};
    return no_exchange{code, std::string(text)};
}

}  // namespace

void confirm_window::sent(delivery&& row, std::string_view message_id, time_point now) {
    std::string other = message_id == row.id ? std::string() : std::string(message_id);
    entries_.push_back({std::move(row), std::move(other), now, std::nullopt, false});
    ++outstanding_;
}

bool confirm_window::returned(std::string_view message_id, int code, std::string_view text) {
    for (auto& one : entries_) {
        if (one.answered || one.back || (one.message_id.empty() ? one.row.id : one.message_id) != message_id) continue;
        one.back = relay::returned{code, std::string(text)};
        return true;
    }
    return false;
}

bool confirm_window::acked(std::uint64_t tag, bool multiple, std::vector<attempt>& outcomes) {
    return answer(tag, multiple, true, outcomes);
}

bool confirm_window::nacked(std::uint64_t tag, bool multiple, std::vector<attempt>& outcomes) {
    return answer(tag, multiple, false, outcomes);
}

bool confirm_window::answer(std::uint64_t tag, bool multiple, bool ack, std::vector<attempt>& outcomes) {
    const std::uint64_t end = first_tag_ + entries_.size();
    if (multiple && tag == 0) tag = end - 1;  // AMQP 0-9-1, delivery-tag: zero with `multiple` means all
    if (tag == 0 || tag >= end) return false;
    if (tag < first_tag_) return true;  // answered before
    const std::size_t last = tag - first_tag_;
    for (std::size_t i = multiple ? 0 : last; i <= last; ++i) answer_one(entries_[i], ack, outcomes);
    while (!entries_.empty() && entries_.front().answered) {
        entries_.pop_front();
        ++first_tag_;
    }
    return true;
}

void confirm_window::answer_one(entry& one, bool ack, std::vector<attempt>& outcomes) {
    if (std::exchange(one.answered, true)) return;
    --outstanding_;
    passed();
    outcome result = refused{};
    if (one.back)
        result = std::move(*one.back);
    else if (ack)
        result = confirmed{};
    outcomes.push_back({std::move(one.row), std::move(result), one.sent_at});
}

void confirm_window::channel_closed(int code, std::string_view text, std::vector<attempt>& outcomes) {
    const bool alone = outstanding_ == 1;
    const std::size_t were_outstanding = outstanding_;
    bool found = false;
    for (auto& one : entries_) {
        if (one.answered) continue;
        const bool guilty = alone || is_accused(one.row, code, text);
        found = found || guilty;
        outcomes.push_back({std::move(one.row), guilty ? guilt(code, text) : outcome(unknown{})});
    }
    clear();
    if (found) {
        suspects_ = 0;
        allowed_ = limit_;
    } else if (were_outstanding > 1) {
        suspects_ = std::max(suspects_, were_outstanding);
        allowed_ = std::max<std::size_t>(1, were_outstanding / 2);
    }
}

void confirm_window::lost(std::vector<attempt>& outcomes) {
    for (auto& one : entries_) {
        if (!one.answered) outcomes.push_back({std::move(one.row), unknown{}});
    }
    clear();
}

std::optional<time_point> confirm_window::oldest() const {
    if (entries_.empty()) return std::nullopt;
    return entries_.front().sent_at;
}

void confirm_window::passed() {
    if (suspects_ > 0 && --suspects_ == 0) allowed_ = limit_;
}

void confirm_window::clear() {
    entries_.clear();
    outstanding_ = 0;
    first_tag_ = 1;
}

std::optional<std::uint64_t> size_limit_named_in(std::string_view close_text) {
    constexpr std::string_view words = "max size ";
    const auto at = close_text.find(words);
    if (at == close_text.npos) return std::nullopt;
    std::uint64_t limit = 0;
    const char* begin = close_text.data() + at + words.size();
    const char* end = close_text.data() + close_text.size();
    if (std::from_chars(begin, end, limit).ec != std::errc()) return std::nullopt;
    return limit;
}

}  // namespace relay
