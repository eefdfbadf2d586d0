#include "relay/redriver.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "conf/url.hpp"
#include "relay/glob.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto between_looks = 5s;
constexpr auto soonest_look = 100ms;
constexpr auto while_not_in_charge = 1s;
constexpr auto while_blocked = 250ms;
// When nothing can be done with what is there, or with the queue.
constexpr auto first_rest = 60s;
constexpr auto longest_rest = 1h;
constexpr std::size_t most_remembered = 20;   // reasons
constexpr std::size_t most_by_pattern = 100;  // queues: each is looked at every few seconds, and has series of its own

std::int64_t now_in_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

struct redriver::queue {
    queue(const conf::dead_letters& its, outbox::ledger& ledger) : settings(its), mover(its, &ledger, false) {}

    // Some messages every quarter of a second, and at least one.
    std::uint64_t at_once() const { return std::max<std::uint64_t>(1, settings.rate / 4); }
    // What is redriven early is looked at often.
    milliseconds pause() const { return std::clamp<milliseconds>(settings.interval / 2, soonest_look, between_looks); }

    conf::dead_letters settings;
    letter_mover mover;
    std::uint64_t left = 0;  // of this pass
    time_point look_at{};
    time_point pass_at{};  // not before
    time_point step_at{};  // likewise, by the rate
    backoff rest{first_rest, longest_rest};
    std::set<std::string> said;  // troubles
};

redriver::redriver(const conf::broker& broker, const std::vector<conf::dead_letters>& queues, outbox::ledger& ledger,
                   const clock& clock, random_source random, observer& watch, std::function<bool()> in_charge)
    : settings_(broker),
      clock_(clock),
      draw_(std::move(random)),
      watch_(watch),
      in_charge_(std::move(in_charge)),
      backoff_(broker.reconnect_initial, broker.reconnect_max),
      wanted_(queues),
      ledger_(ledger) {
    for (const auto& text : broker.urls) urls_.push_back(conf::parse_url(text));
    if (urls_.empty()) throw std::invalid_argument("broker.urls is empty");
    next_url_ = static_cast<std::size_t>(draw_() * static_cast<double>(urls_.size()));
    for (const auto& one : queues) {
        if (one.queue.empty()) continue;
        queues_.emplace_back(one, ledger);
        watch_.dead_letters({one.queue, 0});
    }
}

redriver::~redriver() { disconnect(); }

void redriver::learn_names(std::vector<std::string> names) {
    const std::lock_guard lock(names_mutex_);
    names_ = std::move(names);
}

// A queue that is named goes before any pattern, and an earlier pattern before a later one.
const conf::dead_letters* redriver::pattern_for(const std::string& name) const {
    const bool named = std::any_of(wanted_.begin(), wanted_.end(), [&](const auto& one) { return one.queue == name; });
    const auto found = std::find_if(wanted_.begin(), wanted_.end(), [&](const auto& one) {
        return !one.pattern.empty() && matches(one.pattern, name);
    });
    if (named || name.empty() || found == wanted_.end()) return nullptr;
    // What is sent there would come back at once.
    return found->exchange.empty() && found->routing_key == name ? nullptr : &*found;
}

void redriver::adopt_names() {
    std::optional<std::vector<std::string>> learnt;
    {
        const std::lock_guard lock(names_mutex_);
        learnt.swap(names_);
    }
    if (!learnt) return;
    std::set<std::string> there;
    for (auto& name : *learnt)
        if (pattern_for(name)) there.insert(std::move(name));
    std::size_t kept = 0;
    for (auto one = queues_.begin(); one != queues_.end();) {
        const bool by_pattern = !one->settings.pattern.empty();
        if (by_pattern && !there.contains(one->settings.queue)) {
            watch_.dead_letters({one->settings.queue, std::nullopt, 0, 0, 0, true});
            one = queues_.erase(one);
            continue;
        }
        kept += by_pattern ? 1 : 0;
        there.erase(one->settings.queue);
        ++one;
    }
    std::size_t left_out = 0;
    for (const auto& name : there) {
        if (kept == most_by_pattern) {
            ++left_out;
            continue;
        }
        auto its = *pattern_for(name);
        its.queue = name;
        watch_.dead_letters({queues_.emplace_back(its, ledger_).settings.queue, 0});
        ++kept;
    }
    if (std::exchange(left_out_, left_out) != left_out) watch_.dead_letters_left_out(left_out);
}

milliseconds redriver::run_once() {
    if (stopping_) return 0ms;
    adopt_names();
    if (!in_charge_()) {
        disconnect();
        if (std::exchange(measuring_, false))
            for (const auto& one : queues_) watch_.dead_letters({one.settings.queue, 0});
        return while_not_in_charge;
    }
    // Heartbeats only run inside the library's calls.
    milliseconds wait = std::min<milliseconds>(settings_.heartbeat / 4, between_looks);
    try {
        if (!connected(wait)) return wait;
        if (!box_->tend()) return while_blocked;
        measuring_ = true;
        for (auto& one : queues_) {
            if (clock_.now() >= one.look_at) look_at(one);
            if (one.left > 0 && clock_.now() >= one.step_at) step_in(one);
            if (stopping_) return 0ms;
            const auto next = one.left > 0 ? one.step_at : one.look_at;
            wait = std::min(wait, std::chrono::ceil<milliseconds>(next - clock_.now()));
        }
    } catch (const amqp::connection_lost& error) {
        disconnect();
        if (stopping_) return 0ms;
        next_url_ = (next_url_ + 1) % urls_.size();
        next_try_ = clock_.now() + backoff_.next(draw_());
        complain(said_of_all_, "", error.what());
    }
    return std::max(wait, 1ms);
}

bool redriver::connected(milliseconds& wait) {
    if (box_) return true;
    if (const auto left = std::chrono::ceil<milliseconds>(next_try_ - clock_.now()); left > 0ms) {
        wait = std::min<milliseconds>(left, 1s);
        return false;
    }
    box_ = std::make_unique<amqp::letter_box>(urls_[next_url_], settings_);
    const std::lock_guard lock(socket_mutex_);
    socket_ = box_->socket();
    if (aborted_) ::shutdown(socket_, SHUT_RDWR);
    return true;
}

void redriver::disconnect() {
    {
        const std::lock_guard lock(socket_mutex_);
        socket_ = -1;
    }
    if (box_) box_->close();
    box_.reset();
    for (auto& one : queues_) one.left = 0;
}

void redriver::look_at(queue& one) {
    one.look_at = clock_.now() + one.pause();
    const auto found = box_->length(one.settings.queue);
    if (const auto* refused = std::get_if<amqp::refusal>(&found)) {
        watch_.dead_letters({one.settings.queue, 0});
        one.left = 0;
        one.look_at = clock_.now() + first_rest;
        return complain(one.said, one.settings.queue, fmt::format("{} {}", refused->code, refused->text));
    }
    const auto length = std::get<std::uint64_t>(found);
    watch_.dead_letters({one.settings.queue, length});
    if (one.left == 0 && !one.settings.paused && clock_.now() >= one.pass_at) one.left = length;
}

void redriver::step_in(queue& one) {
    const auto began = clock_.now();
    const auto done =
        one.mover.step(*box_, std::min(one.left, one.at_once()), now_in_seconds(), [this] { return !stopping_; });
    backoff_.reset();
    said_of_all_.clear();
    one.left = done.over ? 0 : one.left - std::min(one.left, done.fetched);
    if (done.wait) one.pass_at = clock_.now() + *done.wait;
    if (done.redriven + done.filed > 0) {
        one.rest.reset();
        if (done.refused == 0) one.said.clear();
    }
    if (done.hopeless) one.pass_at = clock_.now() + one.rest.next(draw_());
    one.step_at = began + milliseconds(done.redriven * 1'000 / one.settings.rate);
    if (done.redriven + done.filed + done.refused > 0)
        watch_.dead_letters({one.settings.queue, std::nullopt, done.redriven, done.filed, done.refused});
    for (const auto& why : done.troubles) complain(one.said, one.settings.queue, why);
    tell_of_database(done);
}

void redriver::tell_of_database(const letter_step& done) {
    if (done.no_database) {
        if (std::exchange(database_up_, false) || what_failed_ != *done.no_database)
            watch_.database_down("dead_letters", *done.no_database);
        what_failed_ = *done.no_database;
    } else if (done.asked_database) {
        if (!std::exchange(database_up_, true)) watch_.database_up("dead_letters");
        what_failed_.clear();
    }
}

void redriver::complain(std::set<std::string>& said, std::string_view about, const std::string& why) {
    if (said.size() >= most_remembered) said.clear();
    if (said.insert(why).second) watch_.dead_letters_trouble(about, why);
}

void redriver::stop() { stopping_ = true; }

void redriver::abort() {
    const std::lock_guard lock(socket_mutex_);
    aborted_ = true;
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace relay
