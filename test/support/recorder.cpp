#include "test/support/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace support {

recorder::figures recorder::so_far() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

bool recorder::broker_down_for(std::string_view words) const { return said(topic::down, words); }
bool recorder::warned_of(std::string_view words) const { return said(topic::warning, words); }
bool recorder::database_down_for(std::string_view words) const { return said(topic::database_down, words); }
bool recorder::took_a_lane() const { return said(topic::lane_taken, ""); }
bool recorder::said_of_database(std::string_view words) const {
    return said(topic::database_down, words) || said(topic::database_error, words);
}

std::string recorder::all() const {
    static constexpr std::array names = {"up",          "down",          "blocked",        "unblocked",
                                         "warning",     "database down", "database error", "lane taken",
                                         "receipts up", "receipts down"};
    const std::lock_guard lock(mutex_);
    const auto& f = figures_;
    auto text = fmt::format(
        "confirmed {}, returned {}, refused {}, no exchange {}, impossible {}, unknown {} (maybe sent {}); settled {} "
        "of {}; receipts recorded {}, unchanged {}, unknown {}\n",
        f.confirmed, f.returned, f.refused, f.no_exchange, f.impossible, f.unknown, f.maybe_sent, f.settled_changed,
        f.settled_asked, f.receipts_recorded, f.receipts_unchanged, f.receipts_unknown);
    for (const auto& one : remarks_) {
        text +=
            fmt::format("{:6} ms {}: {}\n", one.at.count(), names.at(static_cast<std::size_t>(one.about)), one.text);
    }
    return text;
}

void recorder::broker_up(std::string_view where) { note(topic::up, std::string(where)); }

void recorder::broker_down(std::string_view why, std::chrono::milliseconds) { note(topic::down, std::string(why)); }

void recorder::broker_blocked(std::string_view reason) { note(topic::blocked, std::string(reason)); }

void recorder::broker_unblocked() { note(topic::unblocked, {}); }

void recorder::broker_warning(std::string_view text) { note(topic::warning, std::string(text)); }

void recorder::lane_taken(unsigned lane, unsigned of) { note(topic::lane_taken, fmt::format("{} of {}", lane, of)); }

void recorder::database_down(std::string_view role, std::string_view why) {
    note(topic::database_down, std::string(role) + ": " + std::string(why));
    const std::lock_guard lock(mutex_);
    ++(role == "settler" ? figures_.settler_down : figures_.reader_down);
}

void recorder::database_error(std::string_view role, std::string_view what) {
    note(topic::database_error, std::string(role) + ": " + std::string(what));
}

void recorder::attempted(const relay::attempt& one) {
    const std::lock_guard lock(mutex_);
    struct counting {
        figures& to;
        void operator()(const relay::confirmed&) const { ++to.confirmed; }
        void operator()(const relay::returned&) const { ++to.returned; }
        void operator()(const relay::refused&) const { ++to.refused; }
        void operator()(const relay::no_exchange&) const { ++to.no_exchange; }
        void operator()(const relay::impossible&) const { ++to.impossible; }
        void operator()(const relay::unknown& how) const {
            ++to.unknown;
            if (how.maybe_sent) ++to.maybe_sent;
        }
        void operator()(const relay::parked&) const { ++to.parked; }
    };
    std::visit(counting{figures_}, one.result);
}

void recorder::settled(std::size_t asked, std::size_t changed, std::chrono::microseconds) {
    const std::lock_guard lock(mutex_);
    figures_.settled_asked += asked;
    figures_.settled_changed += changed;
}

void recorder::receipts_up(std::string_view where) { note(topic::receipts_up, std::string(where)); }

void recorder::receipts_down(std::string_view why, std::chrono::milliseconds) {
    note(topic::receipts_down, std::string(why));
}

void recorder::receipts_taken(std::size_t changed, std::size_t unchanged, std::span<const std::string> unknown) {
    const std::lock_guard lock(mutex_);
    figures_.receipts_recorded += changed;
    figures_.receipts_unchanged += unchanged;
    figures_.receipts_unknown += unknown.size();
}

void recorder::note(topic about, std::string text) {
    const auto since = std::chrono::steady_clock::now() - began_;
    const std::lock_guard lock(mutex_);
    remarks_.push_back({std::chrono::duration_cast<std::chrono::milliseconds>(since), about, std::move(text)});
    switch (about) {
        case topic::up: ++figures_.up; break;
        case topic::down: ++figures_.down; break;
        case topic::blocked: ++figures_.blocked; break;
        case topic::unblocked: ++figures_.unblocked; break;
        case topic::warning: ++figures_.warnings; break;
        case topic::database_error: ++figures_.database_errors; break;
        case topic::database_down:  // counted by its role
        case topic::lane_taken: break;
        case topic::receipts_up: ++figures_.receipts_up; break;
        case topic::receipts_down: ++figures_.receipts_down; break;
    }
}

bool recorder::said(topic about, std::string_view words) const {
    const std::lock_guard lock(mutex_);
    return std::any_of(remarks_.begin(), remarks_.end(),
                       [&](const remark& one) { return one.about == about && one.text.find(words) != one.text.npos; });
}

}  // namespace support
