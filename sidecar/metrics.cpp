#include "sidecar/metrics.hpp"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <set>
#include <variant>

#include "sidecar/series.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/version.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

// In the order of relay::outcome.
constexpr std::array<const char*, std::variant_size_v<relay::outcome>> outcome_names = {
    "confirmed", "returned", "refused", "no_exchange", "impossible", "unknown", "parked"};

// In the order of metrics::span_fate.
constexpr std::array span_fates = {"delivered", "refused", "dropped"};
constexpr std::array receipt_outcomes = {"recorded", "unchanged", "unknown"};
constexpr std::array notice_events = {"delivered", "failed", "given_up", "untold"};  // as relay::notice_event
constexpr std::array roles = {"lanes",     "reader",   "settler",     "purger",       "listener", "counter",
                              "emptiness", "receipts", "redeliverer", "dead_letters", "webhook"};
constexpr std::array statuses = {outbox::status::delivering, outbox::status::delivered, outbox::status::failed,
                                 outbox::status::consumed};

const std::vector<double> confirm_bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                            0.25,   0.5,   1,      2.5,   5,    10,    30};
const std::vector<double> lag_bounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,  1,
                                        2.5,   5,    10,    30,   60,  300,  1800, 7200};
const std::vector<double> settle_bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
const std::vector<double> batch_bounds = {1, 5, 10, 25, 50, 100, 200, 300, 400, 500, 1000};

// How long an answer of the database's clock is preferred to one that took longer to come.
constexpr auto clock_lasts = 10s;

double seconds(std::chrono::duration<double> time) { return time.count(); }

bool of_process(std::string_view family) { return family == "outbox_build_info"; }

double unix_seconds() { return seconds(std::chrono::system_clock::now().time_since_epoch()); }

}  // namespace

struct metrics::impl {
    explicit impl(const relay::clock& c) : clock(c) {
        for (const char* name : outcome_names) attempts.push_back(&attempt_family.Add({{"outcome", name}}));
        for (const char* role : roles) {
            connected.emplace(role, &connected_family.Add({{"role", role}}));
            database_errors.emplace(role, &database_error_family.Add({{"role", role}}));
        }
        for (const auto one : statuses) {
            const prometheus::Labels label = {{"status", std::string(status_name(static_cast<int>(one)))}};
            rows.emplace(one, &row_family.Add(label));
            if (one != outbox::status::delivering) purged.emplace(one, &purge_family.Add(label));
        }
        purged.emplace(std::nullopt, &purge_family.Add({{"status", std::string(purged_name(std::nullopt))}}));
        for (const char* name : receipt_outcomes) receipts.push_back(&receipt_family.Add({{"outcome", name}}));
        for (const char* name : span_fates) spans.push_back(&span_family.Add({{"outcome", name}}));
        for (const char* name : notice_events) told.push_back(&told_family.Add({{"outcome", name}}));
        series::gauge(registry, "outbox_build_info", "Always 1; the label says which version this is.",
                      {{"version", std::string(version)}})
            .Set(1);
    }

    template <class Map>
    static auto* of(const Map& by_role, std::string_view role) {
        const auto found = by_role.find(role);
        return found == by_role.end() ? nullptr : found->second;
    }

    void connection_lost() {
        broker_connected.Set(0);
        broker_blocked.Set(0);
    }

    void no_lane() {
        lanes.clear();
        lanes_held.Set(0);
    }

    void no_census() {
        for (const auto& [status, gauge] : rows) gauge->Set(0);
        for (auto* gauge : {&due_rows, &oldest_due_age, &counted_at, &ledger_entries, &blocked_keys, &overdue})
            gauge->Set(0);
        show(history_family, history, std::nullopt);
        show(transaction_family, transaction, std::nullopt);
    }

    // A series that is there only while there is something to say.
    static void show(prometheus::Family<prometheus::Gauge>& family, prometheus::Gauge*& gauge,
                     std::optional<double> value) {
        if (value && gauge == nullptr) gauge = &family.Add({});
        if (!value && gauge != nullptr) {
            family.Remove(gauge);
            gauge = nullptr;
        }
        if (value) gauge->Set(*value);
    }

    const relay::clock& clock;
    prometheus::Registry registry;

    prometheus::Family<prometheus::Counter>& attempt_family =
        series::counters(registry, "outbox_attempts_total", "Attempts to publish a message, by what became of them.");
    std::vector<prometheus::Counter*> attempts;
    prometheus::Counter& duplicates =
        series::counter(registry, "outbox_possible_duplicates_total",
                        "Messages sent again although the broker may have them: their confirm was lost.");
    prometheus::Counter& retries =
        series::counter(registry, "outbox_retries_total", "Tries spent with another to come.");
    prometheus::Counter& failures =
        series::counter(registry, "outbox_failed_total", "Messages given up: status 2, with the reason in last_error.");
    prometheus::Gauge& parked_keys =
        series::gauge(registry, "outbox_parked_keys",
                      "Exchanges and routing keys whose messages no queue wants: they wait for a route.");
    prometheus::Gauge& parked_rows =
        series::gauge(registry, "outbox_parked_rows", "Messages that wait for these, as known to this sidecar.");
    prometheus::Histogram& confirm_time = series::histogram(
        registry, "outbox_confirm_duration_seconds", "From sending a message to the broker's answer.", confirm_bounds);
    prometheus::Histogram& lag = series::histogram(
        registry, "outbox_delivery_lag_seconds",
        "From when a message was to be sent, by the database's clock, to its confirm; retries included.", lag_bounds);
    prometheus::Gauge& last_success = series::gauge(registry, "outbox_last_success_timestamp_seconds",
                                                    "When the broker last confirmed a message; 0: not yet.");
    prometheus::Gauge& in_flight =
        series::gauge(registry, "outbox_in_flight_rows", "Rows between being read and being settled.");

    prometheus::Gauge& paused =
        series::gauge(registry, "outbox_paused", "1 while this sidecar was told over the API to take up no rows.");

    prometheus::Histogram& settle_rows =
        series::histogram(registry, "outbox_settle_batch_rows", "Rows settled by one transaction.", batch_bounds);
    prometheus::Histogram& settle_time =
        series::histogram(registry, "outbox_settle_duration_seconds", "What settling one batch took.", settle_bounds);
    prometheus::Counter& elsewhere =
        series::counter(registry, "outbox_settled_elsewhere_total",
                        "Rows that somebody else had changed or deleted before they were settled.");
    prometheus::Family<prometheus::Counter>& purge_family =
        series::counters(registry, "outbox_purged_rows_total",
                         "Rows deleted after their retention, by status; and entries of the ledger.");
    std::map<std::optional<outbox::status>, prometheus::Counter*> purged;  // nullopt: entries of the ledger

    prometheus::Gauge& broker_connected =
        series::gauge(registry, "outbox_broker_connected", "1 while there is a connection to a broker.");
    prometheus::Gauge& broker_blocked = series::gauge(registry, "outbox_broker_blocked",
                                                      "1 while the broker takes nothing, for want of memory or disk.");
    prometheus::Counter& connections_lost =
        series::counter(registry, "outbox_broker_connections_lost_total", "Connections to a broker that were lost.");

    prometheus::Family<prometheus::Gauge>& connected_family =
        series::gauges(registry, "outbox_database_connected",
                       "1 while the database serves this part of the sidecar, as far as it has needed it.");
    std::map<std::string, prometheus::Gauge*, std::less<>> connected;
    prometheus::Family<prometheus::Counter>& database_error_family =
        series::counters(registry, "outbox_database_errors_total",
                         "Times that the database was lost or refused something, once for each new reason.");
    std::map<std::string, prometheus::Counter*, std::less<>> database_errors;

    prometheus::Gauge& lanes_held = series::gauge(registry, "outbox_lanes_held", "Lanes that this sidecar relays.");
    prometheus::Counter& leases_lost =
        series::counter(registry, "outbox_leases_lost_total",
                        "Lanes given up because their lease was not renewed in time or was taken.");

    prometheus::Family<prometheus::Gauge>& row_family = series::gauges(
        registry, "outbox_backlog_rows",
        "Rows of the table by status, counted up to 100000 by the sidecar that relays lane 0; 0 from all others.");
    std::map<outbox::status, prometheus::Gauge*> rows;
    prometheus::Gauge& due_rows =
        series::gauge(registry, "outbox_due_rows", "Of those to be delivered, rows whose time has come; likewise.");
    prometheus::Gauge& oldest_due_age = series::gauge(
        registry, "outbox_oldest_due_age_seconds", "For how long the oldest of these has been due; 0: there is none.");
    prometheus::Gauge& blocked_keys =
        series::gauge(registry, "outbox_blocked_keys",
                      "Keys of which a message is due but has to wait for an earlier one; 0 without order.");
    prometheus::Gauge& ledger_entries =
        series::gauge(registry, "outbox_ledger_entries", "Entries of the ledger of failures, counted likewise.");
    prometheus::Gauge& counted_at = series::gauge(registry, "outbox_backlog_counted_timestamp_seconds",
                                                  "When these were last counted; 0: not by this sidecar.");
    prometheus::Gauge& overdue =
        series::gauge(registry, "outbox_receipts_overdue",
                      "Delivered messages without a receipt for longer than receipts.overdue, counted likewise.");
    prometheus::Gauge& receipts_connected =
        series::gauge(registry, "outbox_receipts_connected", "1 while the queue of receipts is consumed.");
    prometheus::Family<prometheus::Counter>& receipt_family =
        series::counters(registry, "outbox_receipts_total", "Receipts from that queue, by what became of them.");
    std::vector<prometheus::Counter*> receipts;
    prometheus::Counter& redelivered = series::counter(
        registry, "outbox_redelivered_total", "Messages put back to be delivered, as their receipt was overdue.");
    prometheus::Family<prometheus::Gauge>& history_family = series::gauges(
        registry, "outbox_innodb_history_length",
        "Transactions whose old row versions InnoDB has not cleared away; only with the right to see it.");
    prometheus::Gauge* history = nullptr;  // guarded by mutex
    prometheus::Family<prometheus::Gauge>& transaction_family = series::gauges(
        registry, "outbox_oldest_transaction_age_seconds",
        "For how long the oldest transaction of the server has been open; only with the right to see it.");
    prometheus::Gauge* transaction = nullptr;  // likewise

    prometheus::Family<prometheus::Counter>& span_family =
        series::counters(registry, "outbox_spans_total", "Spans for the collector of traces, by what became of them.");
    std::vector<prometheus::Counter*> spans;

    prometheus::Family<prometheus::Counter>& told_family =
        series::counters(registry, "outbox_webhook_total",
                         "Failures told by the webhook, or not: each POST that failed, and what became of each entry.");
    std::vector<prometheus::Counter*> told;
    prometheus::Gauge& untold = series::gauge(
        registry, "outbox_webhook_pending",
        "Failures that the webhook has yet to tell, as the sidecar that relays lane 0 sees it; 0 from all others.");

    prometheus::Gauge& management = series::gauge(
        registry, "outbox_management_connected",
        "1 while the management API says which dead-letter queues there are; 0 also where no pattern asks for it.");
    prometheus::Gauge& left_out =
        series::gauge(registry, "outbox_dead_letter_queues_left_out",
                      "Dead-letter queues that patterns mean and that are not looked after, as there are too many.");

    // By queue.
    prometheus::Family<prometheus::Gauge>& letter_family = series::gauges(
        registry, "outbox_dead_letters",
        "Messages that wait in a dead-letter queue, as the sidecar that relays lane 0 saw it; 0 from all others.");
    prometheus::Family<prometheus::Counter>& redriven_family = series::counters(
        registry, "outbox_dead_letters_redriven_total", "Dead letters sent again, confirmed and routed.");
    prometheus::Family<prometheus::Counter>& filed_family =
        series::counters(registry, "outbox_dead_letters_filed_total", "Dead letters filed in the ledger of failures.");
    prometheus::Family<prometheus::Counter>& refused_family =
        series::counters(registry, "outbox_dead_letters_refused_total",
                         "Times that a dead letter could be neither sent again nor filed, and stayed where it was.");
    struct letter_series {
        prometheus::Gauge* length;
        prometheus::Counter* redriven;
        prometheus::Counter* filed;
        prometheus::Counter* refused;
    };
    std::map<std::string, letter_series, std::less<>> letters;  // guarded by mutex

    std::mutex mutex;  // guards what follows
    series::tally confirm_tally{confirm_bounds};
    series::tally lag_tally{lag_bounds};
    std::set<unsigned> lanes;
    bool is_connected = false;
    // The database's clock was `clock_base` at `clock_asked`.
    std::optional<outbox::epoch_ms> clock_base;
    relay::time_point clock_asked;
    microseconds clock_took{0};
};

metrics::metrics(const relay::clock& clock) : impl_(std::make_unique<impl>(clock)) {}
metrics::~metrics() = default;

std::string metrics::text() const {
    const std::pair<std::string, const metrics*> only{{}, this};
    return text({&only, 1});
}

std::string metrics::text(std::span<const std::pair<std::string, const metrics*>> all) {
    std::vector<prometheus::MetricFamily> families;
    std::map<std::string, std::size_t> places;
    for (const auto& [source, one] : all) {
        for (auto& family : one->impl_->registry.Collect()) {
            const auto [place, first] = places.emplace(family.name, families.size());
            if (of_process(family.name)) {
                if (first) families.push_back(std::move(family));
                continue;
            }
            if (!source.empty())
                for (auto& series : family.metric) series.label.insert(series.label.begin(), {"source", source});
            if (first) {
                families.push_back(std::move(family));
                continue;
            }
            auto& into = families[place->second].metric;
            into.insert(into.end(), std::make_move_iterator(family.metric.begin()),
                        std::make_move_iterator(family.metric.end()));
        }
    }
    return prometheus::TextSerializer().Serialize(families);
}

void metrics::ended() {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_connected = false;
    impl_->connection_lost();
    for (const auto& [role, gauge] : impl_->connected) gauge->Set(0);
    impl_->no_lane();
    impl_->no_census();
    impl_->in_flight.Set(0);
    parking(0, 0);
    impl_->receipts_connected.Set(0);
    impl_->untold.Set(0);
    impl_->management.Set(0);
    impl_->left_out.Set(0);
    for (const auto& [queue, one] : impl_->letters) one.length->Set(0);
}

void metrics::paused(bool is) { impl_->paused.Set(is ? 1 : 0); }

void metrics::broker_up(std::string_view) {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_connected = true;
    impl_->broker_connected.Set(1);
    impl_->broker_blocked.Set(0);
}

void metrics::broker_down(std::string_view, std::chrono::milliseconds) {
    const std::lock_guard lock(impl_->mutex);
    if (std::exchange(impl_->is_connected, false)) impl_->connections_lost.Increment();
    impl_->connection_lost();
}

void metrics::broker_blocked(std::string_view) { impl_->broker_blocked.Set(1); }
void metrics::broker_unblocked() { impl_->broker_blocked.Set(0); }

void metrics::database_up(std::string_view role) {
    if (auto* gauge = impl::of(impl_->connected, role)) gauge->Set(1);
}

void metrics::database_down(std::string_view role, std::string_view) {
    if (auto* gauge = impl::of(impl_->connected, role)) gauge->Set(0);
    if (auto* errors = impl::of(impl_->database_errors, role)) errors->Increment();
}

void metrics::database_error(std::string_view role, std::string_view) {
    if (auto* errors = impl::of(impl_->database_errors, role)) errors->Increment();
}

void metrics::lane_taken(unsigned lane, unsigned) {
    const std::lock_guard lock(impl_->mutex);
    impl_->lanes.insert(lane);
    impl_->lanes_held.Set(static_cast<double>(impl_->lanes.size()));
}

void metrics::lane_lost(unsigned lane, std::string_view) {
    impl_->leases_lost.Increment();
    lane_released(lane, {});
}

void metrics::lane_released(unsigned lane, std::string_view) {
    const std::lock_guard lock(impl_->mutex);
    impl_->lanes.erase(lane);
    impl_->lanes_held.Set(static_cast<double>(impl_->lanes.size()));
}

void metrics::lanes_unprotected() { lane_taken(0, 1); }

void metrics::attempted_all(std::span<const relay::attempt> batch) {
    const auto now = impl_->clock.now();
    std::array<std::size_t, outcome_names.size()> by_outcome{};
    std::size_t duplicates = 0;

    const std::lock_guard lock(impl_->mutex);
    std::optional<double> database_now;  // epoch ms
    if (impl_->clock_base)
        database_now = static_cast<double>(*impl_->clock_base) + 1000 * seconds(now - impl_->clock_asked);
    for (const auto& one : batch) {
        ++by_outcome[one.result.index()];
        if (const auto* unknown = std::get_if<relay::unknown>(&one.result)) duplicates += unknown->maybe_sent ? 1 : 0;
        if (one.sent_at) impl_->confirm_tally.add(seconds(now - *one.sent_at));
        if (std::holds_alternative<relay::confirmed>(one.result) && one.row.due_since && database_now)
            impl_->lag_tally.add(std::max(0.0, (*database_now - static_cast<double>(*one.row.due_since)) / 1000));
    }
    for (std::size_t i = 0; i < by_outcome.size(); ++i) {
        if (by_outcome[i] > 0) impl_->attempts[i]->Increment(static_cast<double>(by_outcome[i]));
    }
    if (duplicates > 0) impl_->duplicates.Increment(static_cast<double>(duplicates));
    impl_->confirm_tally.pour_into(impl_->confirm_time);
    impl_->lag_tally.pour_into(impl_->lag);
    if (by_outcome[0] > 0) impl_->last_success.Set(unix_seconds());
}

void metrics::retrying(const relay::delivery&, std::int64_t, std::chrono::milliseconds, std::string_view) {
    impl_->retries.Increment();
}

void metrics::failed(const relay::delivery&, std::int64_t, std::string_view) { impl_->failures.Increment(); }

void metrics::parking(std::size_t keys, std::uint64_t rows) {
    impl_->parked_keys.Set(static_cast<double>(keys));
    impl_->parked_rows.Set(static_cast<double>(rows));
}

void metrics::settled(std::size_t asked, std::size_t changed, microseconds took) {
    impl_->settle_rows.Observe(static_cast<double>(asked));
    impl_->settle_time.Observe(seconds(took));
    if (asked > changed) impl_->elsewhere.Increment(static_cast<double>(asked - changed));
}

void metrics::purged(const relay::purge_report& report) {
    for (const auto& line : report.lines) {
        if (line.rows > 0) impl_->purged.at(line.status)->Increment(static_cast<double>(line.rows));
    }
}

void metrics::receipts_up(std::string_view) { impl_->receipts_connected.Set(1); }
void metrics::receipts_down(std::string_view, std::chrono::milliseconds) { impl_->receipts_connected.Set(0); }

void metrics::receipts_taken(std::size_t changed, std::size_t unchanged, std::span<const std::string> unknown) {
    const std::array counts = {changed, unchanged, unknown.size()};
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] > 0) impl_->receipts[i]->Increment(static_cast<double>(counts[i]));
    }
}

void metrics::redelivered(std::size_t rows) { impl_->redelivered.Increment(static_cast<double>(rows)); }

void metrics::spans(span_fate what, std::size_t count) {
    impl_->spans.at(static_cast<std::size_t>(what))->Increment(static_cast<double>(count));
}

void metrics::carrying(std::size_t rows) { impl_->in_flight.Set(static_cast<double>(rows)); }

void metrics::database_clock(outbox::epoch_ms now, relay::time_point asked, microseconds took) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->clock_base && took > impl_->clock_took && asked - impl_->clock_asked < clock_lasts) return;
    impl_->clock_base = now;
    impl_->clock_asked = asked;
    impl_->clock_took = took;
}

void metrics::counted(const std::optional<outbox::census>& what) {
    const std::lock_guard lock(impl_->mutex);
    if (!what) return impl_->no_census();
    for (const auto& [status, gauge] : impl_->rows) {
        const auto count = what->rows.find(status);
        gauge->Set(count == what->rows.end() ? 0 : static_cast<double>(count->second));
    }
    impl_->due_rows.Set(static_cast<double>(what->due));
    impl_->oldest_due_age.Set(
        what->oldest_due ? std::max(0.0, static_cast<double>(what->now - *what->oldest_due) / 1000) : 0);
    impl_->blocked_keys.Set(static_cast<double>(what->blocked_keys));
    impl_->ledger_entries.Set(static_cast<double>(what->ledger_entries));
    impl_->overdue.Set(static_cast<double>(what->receipts_overdue));
    impl_->counted_at.Set(unix_seconds());
    const auto number = [](const auto& value) {
        return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
    };
    impl::show(impl_->history_family, impl_->history, number(what->history_length));
    impl::show(impl_->transaction_family, impl_->transaction,
               what->oldest_transaction ? std::optional(seconds(*what->oldest_transaction)) : std::nullopt);
}

void metrics::notice(const relay::notice_report& report) {
    impl_->told[static_cast<std::size_t>(report.outcome)]->Increment();
}

void metrics::notices_waiting(std::uint64_t entries) { impl_->untold.Set(static_cast<double>(entries)); }

void metrics::management_up() { impl_->management.Set(1); }
void metrics::management_down(std::string_view) { impl_->management.Set(0); }

void metrics::dead_letters_left_out(std::size_t queues) { impl_->left_out.Set(static_cast<double>(queues)); }

void metrics::dead_letters(const relay::letter_report& report) {
    const std::lock_guard lock(impl_->mutex);
    auto& all = impl_->letters;
    auto found = all.find(report.queue);
    if (report.dropped) {
        if (found == all.end()) return;
        impl_->letter_family.Remove(found->second.length);
        impl_->redriven_family.Remove(found->second.redriven);
        impl_->filed_family.Remove(found->second.filed);
        impl_->refused_family.Remove(found->second.refused);
        all.erase(found);
        return;
    }
    if (found == all.end()) {
        const std::string name(report.queue);
        const prometheus::Labels label = {{"queue", name}};
        found =
            all.emplace(name, impl::letter_series{&impl_->letter_family.Add(label), &impl_->redriven_family.Add(label),
                                                  &impl_->filed_family.Add(label), &impl_->refused_family.Add(label)})
                .first;
    }
    const auto& one = found->second;
    if (report.length) one.length->Set(static_cast<double>(*report.length));
    one.redriven->Increment(static_cast<double>(report.redriven));
    one.filed->Increment(static_cast<double>(report.filed));
    one.refused->Increment(static_cast<double>(report.refused));
}

}  // namespace sidecar
