#include "sidecar/reporter.hpp"

#include <fmt/format.h>

#include <utility>

#include "conf/units.hpp"
#include "conf/values.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/webhook.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr auto summary_period = 60s;

void add(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
    counter.fetch_add(by, std::memory_order_relaxed);
}

std::uint64_t take(std::atomic<std::uint64_t>& counter) { return counter.exchange(0, std::memory_order_relaxed); }

}  // namespace

reporter::reporter(log& out, const relay::clock& clock) : out_(out), clock_(clock), summarized_(clock.now()) {}

void reporter::broker_up(std::string_view where) {
    const std::lock_guard lock(mutex_);
    broker_down_.forget();
    out_.info("broker_up", "connected to the broker", {{"broker", where}});
}

void reporter::broker_down(std::string_view why, std::chrono::milliseconds next_try) {
    const std::lock_guard lock(mutex_);
    // The first reason is often only that the connection broke; why it can't be had again comes after it.
    if (!broker_down_.worth_saying(why, clock_.now())) return;
    out_.warning("broker_down", "no connection to a broker; messages wait in the table",
                 {{"reason", why}, {"next_try_ms", next_try.count()}});
}

void reporter::broker_blocked(std::string_view reason) {
    out_.warning("broker_blocked", "the broker takes nothing at present; messages wait in the table",
                 {{"reason", reason}});
}

void reporter::broker_unblocked() { out_.info("broker_unblocked", "the broker takes messages again"); }

void reporter::broker_warning(std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (warnings_.allows(clock_.now())) out_.warning("broker_warning", text);
}

void reporter::database_up(std::string_view role) {
    const std::lock_guard lock(mutex_);
    database_down_[std::string(role)].forget();
    out_.info("database_up", "connected to the database", {{"role", role}});
}

void reporter::database_down(std::string_view role, std::string_view why) {
    const std::lock_guard lock(mutex_);
    if (!database_down_[std::string(role)].worth_saying(why, clock_.now())) return;
    out_.warning("database_down", "the database is of no use at present; trying again until it is",
                 {{"role", role}, {"reason", why}});
}

void reporter::database_error(std::string_view role, std::string_view what) {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    if (!database_error_[std::string(role)].worth_saying(what, now) || !errors_.allows(now)) return;
    out_.error("database_error", what, {{"role", role}});
}

void reporter::lane_taken(unsigned lane, unsigned of) {
    out_.info("lane_taken", "relaying this lane from now on", {{"lane", lane}, {"lanes", of}});
}

void reporter::lane_lost(unsigned lane, std::string_view why) {
    out_.warning("lane_lost", "not relaying this lane any more: another sidecar may have it",
                 {{"lane", lane}, {"reason", why}});
}

void reporter::lane_released(unsigned lane, std::string_view to) {
    if (to.empty())
        out_.info("lane_released", "done with this lane: any sidecar can take it over", {{"lane", lane}});
    else
        out_.info("lane_released", "done with this lane: left it to a sidecar that has fewer",
                  {{"lane", lane}, {"to", to}});
}

void reporter::standing_by() { out_.info("standing_by", "other sidecars relay all lanes; standing by to take over"); }

void reporter::lanes_waiting(unsigned ours, unsigned theirs) {
    out_.warning("lanes_waiting",
                 "sidecars with another number of lanes are at work; waiting until the last of them has stopped",
                 {{"lanes", ours}, {"their_lanes", theirs}});
}

void reporter::lanes_unprotected() {
    out_.warning(
        "lanes_unprotected",
        "there is no table msg_lane, or no right to it: run only one sidecar, or `migrate`; a second one would "
        "send everything again");
}

void reporter::attempted(const relay::attempt& one) {
    // Never sent, or refused before it was anywhere.
    if (std::holds_alternative<relay::impossible>(one.result)) return;
    if (std::holds_alternative<relay::no_exchange>(one.result)) return;
    if (std::holds_alternative<relay::parked>(one.result)) return;
    if (const auto* unknown = std::get_if<relay::unknown>(&one.result)) {
        if (!unknown->maybe_sent) return;
        add(since_.duplicates);
    }
    add(since_.published);
    if (!std::holds_alternative<relay::confirmed>(one.result)) return;
    add(since_.confirmed);
    add(confirmed_);
}

void reporter::retrying(const relay::delivery& row, std::int64_t tries, std::chrono::milliseconds in,
                        std::string_view error) {
    add(since_.retried);
    const std::lock_guard lock(mutex_);
    if (!retries_.allows(clock_.now())) return;
    out_.info("retry", "the broker did not take a message; it will be tried again",
              {{"id", row.id},
               {"exchange", row.exchange},
               {"routing_key", row.routing_key},
               {"tries", tries},
               {"in_ms", in.count()},
               {"reason", error}});
}

void reporter::failed(const relay::delivery& row, std::int64_t tries, std::string_view error) {
    add(since_.failed);
    add(failed_);
    const std::lock_guard lock(mutex_);
    if (!failures_.allows(clock_.now())) return;
    out_.error("failed", "a message has failed for good",
               {{"id", row.id},
                {"exchange", row.exchange},
                {"routing_key", row.routing_key},
                {"tries", tries},
                {"reason", error}});
}

void reporter::parked(std::string_view exchange, std::string_view routing_key, std::string_view why) {
    const std::lock_guard lock(mutex_);
    if (!parked_.allows(clock_.now())) return;
    out_.warning("parked", "no queue wants messages of this exchange and routing key; they wait until there is a route",
                 {{"exchange", exchange}, {"routing_key", routing_key}, {"reason", why}});
}

void reporter::unparked(std::string_view exchange, std::string_view routing_key, std::optional<std::size_t> rows) {
    const std::lock_guard lock(mutex_);
    if (!parked_.allows(clock_.now())) return;
    if (rows)
        out_.info("released", "messages of this exchange and routing key arrive again; those that waited are due",
                  {{"exchange", exchange}, {"routing_key", routing_key}, {"rows", *rows}});
    else
        out_.info("released", "no message of this exchange and routing key waits here any more",
                  {{"exchange", exchange}, {"routing_key", routing_key}});
}

void reporter::settled(std::size_t asked, std::size_t changed, std::chrono::microseconds) {
    if (asked > changed) add(since_.elsewhere, asked - changed);
}

void reporter::purged(const relay::purge_report& report) {
    for (const auto& line : report.lines) {
        if (!line.possible) {
            const std::lock_guard lock(mutex_);
            if (!std::exchange(ledger_stays_, true))
                out_.warning("ledger_not_purged",
                             "there is no ledger of failures, or it does not say when its entries were filed "
                             "(create_time)");
            continue;
        }
        out_.info("purged", report.complete ? "old rows deleted" : "old rows deleted; stopped before the end",
                  {{"status", purged_name(line.status)},
                   {"older_than", conf::print_duration(line.retention)},
                   {"rows", line.rows},
                   {"took_ms", report.took.count()}});
    }
}

void reporter::receipts_up(std::string_view where) {
    const std::lock_guard lock(mutex_);
    receipts_down_.forget();
    out_.info("receipts_up", "consuming the queue of receipts", {{"broker", where}});
}

void reporter::receipts_down(std::string_view why, std::chrono::milliseconds next_try) {
    const std::lock_guard lock(mutex_);
    if (!receipts_down_.worth_saying(why, clock_.now())) return;
    out_.warning("receipts_down", "the queue of receipts can't be consumed; they wait there",
                 {{"reason", why}, {"next_try_ms", next_try.count()}});
}

// What was taken for an id may be any text that strayed into the queue: no more of it than an id would show.
void reporter::receipts_taken(std::size_t changed, std::size_t, std::span<const std::string> unknown) {
    constexpr std::size_t shown = 100;
    add(since_.receipts, changed);
    if (unknown.empty()) return;
    const std::lock_guard lock(mutex_);
    for (const auto& id : unknown) {
        if (!unknown_receipts_.allows(clock_.now())) continue;
        if (id.empty())
            out_.warning("receipt_unknown", "a receipt without an id, or with one that is too long, is dropped");
        else
            out_.warning("receipt_unknown", "a receipt for a message that is not in the table is dropped",
                         {{"id", conf::printable(std::string_view(id).substr(0, shown))}});
    }
}

void reporter::redelivered(std::size_t rows) {
    out_.info("redelivered", "messages are sent again, as their receipt is overdue", {{"rows", rows}});
}

void reporter::say_left_out(throttle& one, std::string_view event, std::string_view what) {
    if (const auto count = one.left_out(clock_.now()); count > 0)
        out_.warning(event, fmt::format("{} more such {} in the last moments, left out here", count, what),
                     {{"left_out", count}});
}

// Where the url leads is said, and no more of it: its path may be a secret.
void reporter::notice(const relay::notice_report& report) {
    using is = relay::notice_event;
    if (report.outcome == is::delivered) return add(since_.told, 1);
    if (report.outcome == is::untold) return;
    const std::lock_guard lock(mutex_);
    if (!notices_.allows(clock_.now())) return;
    if (report.outcome == is::given_up)
        out_.error("webhook_given_up", "a failure was not told, and will not be",
                   {{"entry", report.entry}, {"url", origin_of(report.url)}, {"reason", report.why}});
    else
        out_.warning("webhook_failed", "a failure could not be told; trying again",
                     {{"entry", report.entry}, {"url", origin_of(report.url)}, {"reason", report.why}});
}

void reporter::dead_letters(const relay::letter_report& report) {
    add(since_.redriven, report.redriven);
    add(since_.filed, report.filed);
}

void reporter::dead_letters_trouble(std::string_view queue, std::string_view why) {
    const std::lock_guard lock(mutex_);
    if (!warnings_.allows(clock_.now())) return;
    if (queue.empty())
        out_.warning("dead_letters_down", "no connection to a broker for the dead-letter queues", {{"reason", why}});
    else
        out_.warning("dead_letters_stay", "dead letters could be neither sent again nor filed; trying again",
                     {{"queue", queue}, {"reason", why}});
}

void reporter::management_up() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(management_down_, {}).empty()) return;
    out_.info("management_up", "the management API says again which queues there are");
}

void reporter::management_down(std::string_view why) {
    const std::lock_guard lock(mutex_);
    if (why.empty() || !management_down_.empty()) return;
    management_down_ = why;
    out_.warning("management_down",
                 "the management API does not say which queues there are; those that are known are looked after",
                 {{"reason", why}});
}

void reporter::dead_letters_left_out(std::size_t queues) {
    if (queues == 0) return;
    out_.warning("dead_letters_left_out", "patterns mean more dead-letter queues than are looked after",
                 {{"left_out", queues}});
}

void reporter::tick() {
    const auto now = clock_.now();
    {
        const std::lock_guard lock(mutex_);
        say_left_out(warnings_, "broker_warning", "warnings");
        say_left_out(errors_, "database_error", "errors");
        say_left_out(retries_, "retry", "retries");
        say_left_out(failures_, "failed", "failures");
        say_left_out(parked_, "parked", "keys");
        say_left_out(notices_, "webhook_failed", "failures to tell");
        say_left_out(unknown_receipts_, "receipt_unknown", "receipts");
        if (now - summarized_ < summary_period) return;
    }
    summarize();
}

void reporter::summarize() {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - summarized_).count();
    summarized_ = now;
    const auto published = take(since_.published), confirmed = take(since_.confirmed), retried = take(since_.retried),
               failed = take(since_.failed), duplicates = take(since_.duplicates), elsewhere = take(since_.elsewhere),
               receipts = take(since_.receipts);
    if (const auto redriven = take(since_.redriven), filed = take(since_.filed); redriven + filed > 0)
        out_.info("dead_letters", fmt::format("in the last {} s", seconds),
                  {{"redriven", redriven}, {"filed", filed}, {"seconds", seconds}});
    if (const auto told = take(since_.told); told > 0)
        out_.info("webhook", fmt::format("in the last {} s", seconds), {{"told", told}, {"seconds", seconds}});
    if (published + retried + failed + elsewhere + receipts == 0) return;
    out_.info("summary", fmt::format("in the last {} s", seconds),
              {{"published", published},
               {"confirmed", confirmed},
               {"retried", retried},
               {"failed", failed},
               {"possible_duplicates", duplicates},
               {"settled_by_others", elsewhere},
               {"receipts", receipts},
               {"seconds", seconds}});
}

}  // namespace sidecar
