// The routes below /failures: the ledger.
#include <charconv>
#include <limits>

#include "sidecar/api/cursor.hpp"
#include "sidecar/api/job_routes.hpp"
#include "sidecar/api/routes.hpp"
#include "sidecar/api/shown_body.hpp"
#include "sidecar/api/values.hpp"
#include "sidecar/entry_change.hpp"
#include "sidecar/entry_view.hpp"

namespace sidecar::api {
namespace {

using outbox::ledger_entry;
using namespace std::chrono_literals;

constexpr std::int64_t most_payload = 1024 * 1024;
constexpr auto patience = 30s;  // of a request that sends again

void require_ledger(outbox::store& store) {
    if (!store.has_ledger()) throw problem(404, "there is no ledger of failures (sys_mq_fail); `migrate` makes it");
}

outbox::ledger_filter read_ledger_filter(values& in) {
    outbox::ledger_filter filter;
    if (const auto side = in.choice("side", {"producer", "consumer"}))
        filter.side = *side == "producer" ? ledger_entry::side::producer : ledger_entry::side::consumer;
    filter.exchange = in.text("exchange");
    filter.routing_key = in.text("routing_key");
    filter.message_id = in.text("message_id");
    filter.reason = in.text("reason").value_or("");
    filter.since = in.time("since");
    filter.before = in.time("before_time");
    return filter;
}

bool selects(const outbox::ledger_filter& f) {
    return f.side || f.exchange || f.routing_key || f.message_id || !f.reason.empty() || f.since || f.before;
}

std::int64_t entry_in_cursor(const std::string& cursor) {
    const auto place = opened("failures", cursor);
    if (!place.is_number_integer()) throw problem(400, "cursor: expected one that came as `next` from this listing");
    return place.get<std::int64_t>();
}

answer list(const request& asked, outbox::store& store) {
    auto in = values::of_query(asked);
    const auto filter = read_ledger_filter(in);
    const auto limit = static_cast<std::size_t>(in.number("limit", 1, 500).value_or(50));
    const auto cursor = in.text("cursor");
    in.done();
    require_ledger(store);
    const auto before = cursor ? std::optional(entry_in_cursor(*cursor)) : std::nullopt;
    auto found = store.entries(filter, before, limit + 1);
    const bool more = found.size() > limit;
    if (more) found.pop_back();
    auto entries = json::array();
    for (const auto& one : found) entries.push_back(entry_json(one));
    return json_answer({{"entries", entries},
                        {"next", more ? json(sealed("failures", found.back().id)) : json()},
                        {"now", store.clock()}});
}

answer groups(const request& asked, outbox::store& store) {
    auto in = values::of_query(asked);
    const auto filter = read_ledger_filter(in);
    const auto limit = static_cast<std::size_t>(in.number("limit", 1, 500).value_or(50));
    in.done();
    require_ledger(store);
    return json_answer(groups_json(store.failure_groups(filter, most_looked_at_for_groups, limit)));
}

std::optional<ledger_entry> find_entry(outbox::store& store, const std::string& text) {
    std::int64_t id = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), id);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    // The entries before the next number begin with that one.
    const auto last = id == std::numeric_limits<std::int64_t>::max();
    auto found = store.entries(last ? std::nullopt : std::optional(id + 1), 1);
    if (found.empty() || found.front().id != id) return std::nullopt;
    return std::move(found.front());
}

answer show(const request& asked, outbox::store& store) {
    auto in = values::of_query(asked);
    const auto bytes = static_cast<std::size_t>(in.number("payload_bytes", 0, most_payload).value_or(64 * 1024));
    in.done();
    require_ledger(store);
    const auto found = find_entry(store, asked.param("entry"));
    if (!found) throw problem(404, "there is no such entry");
    auto document = entry_json(*found);
    const auto payload = store.payload(found->id).value_or("");
    document["payload"] = shown_body(payload.substr(0, bytes), payload.size());
    return json_answer(document);
}

json result_json(const entry_outcome& one) {
    json result = {{"entry", one.entry}, {"outcome", one.name}};
    if (!one.why.empty()) result["reason"] = one.why;
    return result;
}

std::string audit_of(std::string_view what, const std::vector<std::int64_t>& entries) {
    std::vector<std::string> texts;
    for (const auto one : entries) texts.push_back(std::to_string(one));
    return api::audit_of(what, texts);
}

answer retry(const request& asked, outbox::store& store, const conf::settings& settings) {
    auto in = values::of_body(asked);
    const auto entries = in.numbers("entries", 200);
    const bool repeat = in.flag("repeat");
    in.done();
    require_ledger(store);
    const auto until = std::chrono::steady_clock::now() + patience;
    const auto go_on = [&] { return std::chrono::steady_clock::now() < until; };
    entry_retrier with(store, settings, repeat, go_on);
    auto results = json::array();
    for (const auto id : entries)
        results.push_back(result_json(go_on() ? with.retry(id)
                                              : entry_outcome{id, "not_tried", {}, "those before it took too long"}));
    auto result = json_answer({{"results", results}});
    result.audit = audit_of("failures asked to be sent again", entries);
    return result;
}

answer remove(const request& asked, outbox::store& store) {
    auto in = values::of_body(asked);
    const auto entries = in.numbers("entries", 1'000);
    in.done();
    require_ledger(store);
    // One by one, so that for each it can be said what became of it.
    auto results = json::array();
    for (const auto id : entries)
        results.push_back(
            {{"entry", id}, {"outcome", store.remove_entries(std::span(&id, 1)) > 0 ? "done" : "no_entry"}});
    auto result = json_answer({{"results", results}});
    result.audit = audit_of("failures deleted", entries);
    return result;
}

/// What is done to all that match.
struct matching {
    std::string action;
    bool needs_condition = false;
    std::function<std::uint64_t(outbox::store&, const outbox::ledger_filter&)> count;
    std::function<void(outbox::store&, const outbox::ledger_filter&, const std::function<bool()>& go_on,
                       const std::function<void(std::uint64_t)>& progress, entries_report&)>
        change;
};

matching retry_of_matching(const conf::settings& settings) {
    return {"retry failures", false,
            [](outbox::store& store, const outbox::ledger_filter& filter) {
                return count_to_retry(store, filter, false, most_counted + 1);
            },
            [&settings](outbox::store& store, const outbox::ledger_filter& filter, const std::function<bool()>& go_on,
                        const std::function<void(std::uint64_t)>& progress, entries_report& into) {
                entry_retrier with(store, settings, false, go_on);
                retry_matching(store, filter, with, go_on, progress, into);
            }};
}

matching deletion_of_matching() {
    return {"delete failures", true,
            [](outbox::store& store, const outbox::ledger_filter& filter) {
                return store.count_entries(filter, most_counted + 1);
            },
            delete_matching};
}

answer change_matching_ones(const request& asked, outbox::store& store, jobs& work, const matching& what) {
    auto in = values::of_body(asked);
    auto given = in.object("filter");
    const auto filter = read_ledger_filter(given);
    given.done();
    const bool dry_run = in.flag("dry_run");
    in.done();
    if (what.needs_condition && !selects(filter)) throw problem(400, "filter: expected at least one condition");
    require_ledger(store);
    if (dry_run) return counted_answer(what.count(store, filter));
    return job_answer(work.add(what.action, asked.who.name, [=](outbox::store& its, jobs::control& job) {
        if (const auto total = what.count(its, filter); total <= most_counted) job.total(total);
        entries_report report;
        const auto tell = [&](std::uint64_t changed) {
            std::uint64_t left = 0;
            for (const auto& [_, count] : report.unchanged) left += count;
            job.progress(changed, left);
        };
        what.change(
            its, filter, [&] { return job.go_on(); }, tell, report);
        tell(report.changed);
        if (!report.trouble.empty()) throw std::runtime_error(report.trouble);
        if (!report.left.empty()) job.trouble(report.left.back().text + ": " + report.left.back().why);
    }));
}

}  // namespace

void add_failures(router& to, const surroundings& with) {
    to.add("GET", "/failures", needs::viewing, list);
    to.add("GET", "/failures/groups", needs::viewing, groups);
    to.add("GET", "/failures/{entry}", needs::viewing, show);
    to.add("POST", "/failures/retry", needs::operating,
           [&settings = with.settings](const request& asked, outbox::store& store) {
               return retry(asked, store, settings);
           });
    to.add("POST", "/failures/delete", needs::operating, remove);
    to.add("POST", "/failures/retry-matching", needs::operating,
           [&work = with.work, what = retry_of_matching(with.settings)](const request& asked, outbox::store& store) {
               return change_matching_ones(asked, store, work, what);
           });
    to.add("POST", "/failures/delete-matching", needs::operating,
           [&work = with.work, what = deletion_of_matching()](const request& asked, outbox::store& store) {
               return change_matching_ones(asked, store, work, what);
           });
}

}  // namespace sidecar::api
