#include "relay/notice_teller.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace relay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using kind = outbox::notice_outcome::kind;

constexpr auto between_looks = 1s;
constexpr int share = 10;  // of the time at most one part in so many is spent looking
constexpr auto without_table = 30s;
constexpr auto between_clearings = 60s;
constexpr std::size_t at_once = 20;
constexpr std::size_t noted_at_once = 500;
constexpr std::uint64_t most_waiting = 10'000;  // more are left in the ledger alone

notice_event name_of(kind what) {
    switch (what) {
        case kind::told: return notice_event::delivered;
        case kind::again: return notice_event::failed;
        case kind::given_up: return notice_event::given_up;
        case kind::untold: break;
    }
    return notice_event::untold;
}

}  // namespace

notice_teller::notice_teller(outbox::notices& table, const conf::webhook& settings, notice_sender& sender,
                             const relay::clock& clock, observer& watch, std::function<bool()> in_charge,
                             std::function<bool(milliseconds)> pause)
    : table_(table),
      settings_(settings),
      sender_(sender),
      clock_(clock),
      watch_(watch),
      in_charge_(std::move(in_charge)),
      pause_(std::move(pause)) {}

milliseconds notice_teller::run_once() {
    const bool leads = in_charge_();
    if (std::exchange(leading_, leads) && !leads) watch_.notices_waiting(0);
    if (!leads && looked_) return between_looks;
    const auto began = clock_.now();
    try {
        if (!has_table_ && !(has_table_ = table_.has_notices())) {
            failed(
                "there is no table sys_mq_notice beside a ledger, or no right to it; `outbox-sidecar migrate` makes "
                "it");
            return without_table;
        }
        // Whoever is in charge: what fails from the start on is to be told, however soon that is.
        if (!std::exchange(looked_, true)) table_.note_entries(0);
        if (!leads) return between_looks;
        record_kept();
        const auto waiting = table_.count_notices(most_waiting);
        const auto found = waiting < most_waiting ? table_.note_entries(noted_at_once) : 0;
        watch_.notices_waiting(waiting + found);
        if (began >= forget_at_) {
            table_.forget_notices();
            forget_at_ = began + between_clearings;
        }
        const auto rest = rest_of_all();
        const auto due = rest > 0ms ? std::vector<outbox::notice>() : table_.due_notices(at_once);
        const auto took = std::chrono::ceil<milliseconds>(clock_.now() - began);
        if (!std::exchange(connected_, true)) watch_.database_up("webhook");
        what_failed_.clear();
        for (const auto& one : due)
            if (!in_charge_() || !tell(one)) return 0ms;
        record_kept();
        if (due.size() == at_once || found == noted_at_once) return 1ms;
        return std::max<milliseconds>(between_looks, share * took);
    } catch (const std::exception& error) {
        has_table_ = false;
        failed(error.what());
        return between_looks;
    }
}

// How long there is nobody at all to be told; 0: there is somebody.
milliseconds notice_teller::rest_of_all() const {
    auto shortest = time_point::max();
    const auto look = [&](const std::string& url) {
        if (url.empty()) return;
        const auto found = endpoints_.find(url);
        shortest = std::min(shortest, found == endpoints_.end() ? time_point::min() : found->second.rests_until);
    };
    look(settings_.url);
    for (const auto& one : settings_.routes) look(one.url);
    if (shortest == time_point::max() || shortest <= clock_.now()) return 0ms;
    return std::chrono::ceil<milliseconds>(shortest - clock_.now());
}

bool notice_teller::tell(const outbox::notice& one) {
    const auto& url = url_for(settings_, one.what.exchange, one.what.routing_key);
    if (url.empty()) {
        record({one.what.id, kind::untold, 0ms, false, {}});
        watch_.notice({notice_event::untold, one.what.id, {}, {}});
        return true;
    }
    auto& there = endpoints_[url];
    if (const auto rest = std::chrono::ceil<milliseconds>(there.rests_until - clock_.now()); rest > 0ms) {
        kept_.push_back({one.what.id, kind::again, rest, false, there.why});
        return true;
    }
    if (const auto wait = std::chrono::ceil<milliseconds>(post_at_ - clock_.now()); wait > 0ms && !pause_(wait))
        return false;
    std::optional<std::string> payload;
    if (settings_.body) payload = table_.payload_start(one.what.id, most_payload_told);
    post_at_ = clock_.now() + milliseconds(1'000 / settings_.rate);
    const auto answer = sender_.send(url, one, payload);
    // A call that a stop has cut off says nothing about the receiver.
    if (answer.what != notice_answer::kind::taken && !pause_(0ms)) return false;
    if (answer.what == notice_answer::kind::away) {
        ++there.failures;
        there.rests_until = clock_.now() + rest_after(settings_, there.failures, answer);
        there.why = answer.why;
    } else {
        there = {};
    }
    const auto judged = judge(settings_, one.what.id, one.tries, answer);
    watch_.notice({name_of(judged.what), one.what.id, url, judged.error});
    record(judged);
    return true;
}

// What could not be recorded is not told again as long as this process lives.
void notice_teller::record(outbox::notice_outcome one) {
    kept_.push_back(std::move(one));
    record_kept();
}

void notice_teller::record_kept() {
    if (kept_.empty()) return;
    table_.record_notices(kept_);
    kept_.clear();
}

void notice_teller::failed(const char* what) {
    if (std::exchange(connected_, false) || what_failed_ != what) watch_.database_down("webhook", what);
    what_failed_ = what;
}

}  // namespace relay
