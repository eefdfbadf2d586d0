// What is answered from memory: how the relay is doing and has done, its settings, and whether it is paused.
#include "conf/print.hpp"
#include "sidecar/api/gate.hpp"
#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/dead_letter_moves.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/version.hpp"

namespace sidecar::api {
namespace {

using std::chrono::milliseconds;

// At which the relay stops counting; see relay/census_taker.cpp.
constexpr std::uint64_t most_counted = 100'000;

outbox::epoch_ms now_ms() {
    return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

json backlog_json(const relay_state& state) {
    if (!state.census) return nullptr;
    const auto& census = *state.census;
    bool complete = census.due < most_counted;
    auto by_status = json::array();
    for (const auto& [status, rows] : census.rows) {
        const auto number = static_cast<int>(status);
        by_status.push_back({{"status", number}, {"name", status_name(number)}, {"rows", rows}});
        complete = complete && rows < most_counted;
    }
    const auto age = [&] { return std::max<outbox::epoch_ms>(0, census.now - *census.oldest_due); };
    return {{"counted_at", state.counted_at},
            {"by_status", by_status},
            {"complete", complete},
            {"due", census.due},
            {"oldest_due_age_ms", census.oldest_due ? json(age()) : json()},
            {"blocked_keys", census.blocked_keys}};
}

json totals_json(const relay_totals& all) {
    return {{"confirmed", all.confirmed},
            {"returned", all.returned},
            {"refused", all.refused},
            {"no_exchange", all.no_exchange},
            {"impossible", all.impossible},
            {"unknown", all.unknown},
            {"failed", all.failed},
            {"retries", all.retries},
            {"possible_duplicates", all.possible_duplicates},
            {"purged", all.purged},
            {"redriven", all.redriven},
            {"receipts", all.receipts}};
}

answer overview(const request& asked, const surroundings& with) {
    values::of_query(asked).done();
    const auto state = with.samples.state();
    const auto ready = with.health.ready();
    const auto uptime = std::chrono::duration_cast<milliseconds>(with.clock.now() - with.began).count();
    const auto& census = state.census;
    return json_answer({{"now", now_ms()},
                        {"version", version},
                        {"instance", with.instance()},
                        {"paused", with.pause.is_on()},
                        {"uptime_ms", uptime},
                        {"broker",
                         {{"connected", state.broker_connected},
                          {"blocked", state.broker_blocked},
                          {"reason", state.broker_reason.empty() ? json() : json(state.broker_reason)}}},
                        {"ready", {{"ok", ready.good}, {"reasons", ready.reasons}}},
                        {"backlog", backlog_json(state)},
                        {"receipts_overdue", census ? json(census->receipts_overdue) : json()},
                        {"ledger_entries", census ? json(census->ledger_entries) : json()},
                        {"in_flight", state.in_flight},
                        {"lanes_held", state.lanes_held},
                        {"totals", totals_json(state.totals)}});
}

answer stats(const request& asked, const sampler& samples) {
    auto in = values::of_query(asked);
    const auto minutes = in.number("minutes", 1, 24 * 60).value_or(15);
    in.done();
    const std::chrono::seconds step = minutes <= 60 ? sampler::short_step : sampler::long_step;
    auto points = json::array();
    for (const auto& one : samples.samples(step, static_cast<std::size_t>(minutes * 60 / step.count())))
        points.push_back({{"time", one.time},
                          {"due", json_or_null(one.due)},
                          {"delivering", json_or_null(one.delivering)},
                          {"failed", json_or_null(one.failed)},
                          {"in_flight", one.in_flight},
                          {"confirmed_per_s", one.confirmed_per_s},
                          {"failed_attempts_per_s", one.failed_attempts_per_s},
                          {"lag_p50_ms", json_or_null(one.lag_p50_ms)},
                          {"lag_p99_ms", json_or_null(one.lag_p99_ms)}});
    return json_answer({{"interval_ms", milliseconds(step).count()}, {"points", points}});
}

// Those that are named first, then those that a pattern means.
answer dead_letters(const request& asked, const surroundings& with) {
    values::of_query(asked).done();
    auto state = with.samples.state();
    auto queues = json::array();
    const auto add = [&](const std::string& queue, const letter_state& one, const conf::dead_letters* settings) {
        const auto& trouble = one.trouble.empty() ? state.letters_trouble : one.trouble;
        queues.push_back({{"queue", queue},
                          {"length", json_or_null(one.length)},
                          {"paused", settings != nullptr ? json(settings->paused) : json()},
                          {"interval_ms", settings != nullptr ? json(settings->interval.count()) : json()},
                          {"max_redrives", settings != nullptr ? json(settings->max_redrives) : json()},
                          {"redriven", one.redriven},
                          {"filed", one.filed},
                          {"refused", one.refused},
                          {"trouble", trouble.empty() ? json() : json(trouble)}});
    };
    for (const auto& one : with.settings.dead_letters) {
        if (one.queue.empty()) continue;
        add(one.queue, state.letters[one.queue], &one);
        state.letters.erase(one.queue);
    }
    for (const auto& [queue, one] : state.letters) {
        const auto by_pattern = dead_letters_of(with.settings, queue);
        add(queue, one, by_pattern.pattern.empty() ? nullptr : &by_pattern);
    }
    return json_answer({{"queues", queues}});
}

answer set_pause(const request& asked, const surroundings& with, bool on) {
    values::of_body(asked).done();
    with.pause.set(on);
    return json_answer({{"instance", with.instance()}, {"paused", on}});
}

}  // namespace

void add_overview(router& to, const surroundings& with) {
    to.add_quick("GET", "/overview", needs::viewing, [with](const request& asked) { return overview(asked, with); });
    to.add_quick("GET", "/stats", needs::viewing,
                 [&samples = with.samples](const request& asked) { return stats(asked, samples); });
    to.add_quick("GET", "/dead-letters", needs::viewing,
                 [with](const request& asked) { return dead_letters(asked, with); });
    to.add_quick("GET", "/configuration", needs::viewing, [with](const request& asked) {
        values::of_query(asked).done();
        auto result = answer{};
        result.body = conf::print_json(with.settings);
        return result;
    });
    to.add_quick("POST", "/pause", needs::operating,
                 [with](const request& asked) { return set_pause(asked, with, true); });
    to.add_quick("POST", "/resume", needs::operating,
                 [with](const request& asked) { return set_pause(asked, with, false); });
    to.add_quick("GET", "/openapi.yaml", needs::nothing,
                 [](const request& asked) { return file_answer("openapi.yaml", asked.if_none_match); });
}

}  // namespace sidecar::api
