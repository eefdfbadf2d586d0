#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <limits>

#include "outbox/store.hpp"
#include "sidecar/body_text.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/log.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/send_again.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using outbox::ledger_entry;
using outbox::ledger_retry;

std::string_view side_name(const ledger_entry& one) {
    return one.failed_on == ledger_entry::side::producer ? "producer" : "consumer";
}

std::string retries_text(const ledger_entry& one) {
    if (one.retries == 0) return "0";
    return fmt::format("{}, the last {}", one.retries, one.last_retry_succeeded ? "done" : "not done");
}

json entry_json(const ledger_entry& one) {
    return {{"entry", one.id},
            {"side", side_name(one)},
            {"message_id", one.message_id},
            {"exchange", one.exchange},
            {"routing_key", one.routing_key},
            {"key", json_or_null(one.key)},
            {"headers", json_or_null(one.headers)},
            {"reason", one.reason},
            {"payload_size", one.payload_size},
            {"message_created", json_or_null(one.message_created)},
            {"retries", one.retries},
            {"last_retry_succeeded", one.last_retry_succeeded},
            {"filed", json_or_null(one.filed)}};
}

int list_entries(outbox::store& store, const command::failures& options, bool as_json) {
    auto found = store.entries(options.before, options.limit + 1);
    const bool more = found.size() > options.limit;
    if (more) found.pop_back();
    if (as_json) {
        auto all = json::array();
        for (const auto& one : found) all.push_back(entry_json(one));
        std::cout << dumped({{"entries", all}, {"more", more}});
        return exit_code::success;
    }
    if (found.empty()) {
        std::cout << "No failures.\n";
        return exit_code::success;
    }
    using align = table::align;
    const std::vector<list_column> columns{{"ENTRY", align::right, 19, 0},   {"FILED", align::right, 9, 3},
                                           {"SIDE", align::left, 8, 4},      {"MESSAGE", align::left, 36, 0},
                                           {"EXCHANGE", align::left, 10, 2}, {"KEY", align::left, 10, 5},
                                           {"RETRIES", align::left, 8, 6},   {"REASON", align::left, 16, 1}};
    std::vector<std::vector<std::string>> rows;
    const auto now = store.clock();
    for (const auto& one : found)
        rows.push_back({std::to_string(one.id), age_text(one.filed, now), std::string(side_name(one)), one.message_id,
                        one.exchange, one.routing_key, retries_text(one), one.reason});
    std::cout << print_list(columns, std::move(rows), terminal_width(STDOUT_FILENO));
    if (more) std::cout << fmt::format("The latest {}; for more: --before {}\n", found.size(), found.back().id);
    return exit_code::success;
}

int complain_of_no_entry(std::int64_t id) {
    std::cerr << fmt::format("outbox-sidecar: there is no entry {}\n", id);
    return exit_code::failed;
}

int show_entry(outbox::store& store, const command::failures& options, bool as_json) {
    const auto id = options.entries.front();
    // The entries before the next number begin with that one.
    const auto found = id == std::numeric_limits<std::int64_t>::max() ? store.entries({}, 1) : store.entries(id + 1, 1);
    if (found.empty() || found.front().id != id) return complain_of_no_entry(id);
    const auto& one = found.front();
    auto payload = store.payload(id).value_or("");
    const bool whole = options.full || payload.size() <= body_bytes_shown;
    if (!whole) payload.resize(body_bytes_shown);
    if (as_json) {
        auto document = entry_json(one);
        add_body(document, "payload", payload, whole);
        std::cout << dumped(document);
        return exit_code::success;
    }
    table fields({table::align::left, table::align::left});
    fields.add({"entry", std::to_string(one.id)});
    fields.add({"failed on", fmt::format("the {}'s side", side_name(one))});
    fields.add({"message", one.message_id});
    fields.add({"exchange", one.exchange.empty() ? "(the default exchange)" : one.exchange});
    fields.add({"routing key", one.routing_key});
    if (one.key) fields.add({"order key", *one.key});
    fields.add({"created", one.message_created.value_or("-")});
    fields.add({"filed", time_text(one.filed, store.clock())});
    fields.add({"retries", retries_text(one)});
    if (one.headers) fields.add({"headers", *one.headers});
    fields.add({"reason", one.reason});
    fields.add({"payload", grouped(one.payload_size) + " bytes"});
    std::cout << fields.print(terminal_width(STDOUT_FILENO));
    if (payload.empty()) return exit_code::success;
    std::cout << '\n' << body_text(payload, whole);
    if (!whole) std::cout << fmt::format("… the first {} bytes; --full shows all.\n", grouped(payload.size()));
    return exit_code::success;
}

struct outcome_words {
    const char* name;  // for JSON
    const char* text;
};

outcome_words words_for(ledger_retry outcome) {
    switch (outcome) {
        case ledger_retry::done: return {"done", "put back to be delivered"};
        case ledger_retry::not_failed: return {"not_failed", "its message is not failed (any more)"};
        case ledger_retry::gone: return {"gone", "its message is no longer in the outbox"};
        case ledger_retry::consumers: return {"consumers", "it failed on the consumer's side"};
        case ledger_retry::no_entry: break;
    }
    return {"no_entry", "there is no such entry"};
}

// Of a failure of the consumer's side: sends it, for which the entry is locked.
outcome_words resend(outbox::store& store, std::int64_t id, const command::failures& options, const context& at,
                     std::string& why) {
    bool sent = false;
    try {
        const auto outcome = store.resend_entry(id, options.force, [&](const outbox::consumer_failure& one) {
            why = send_again(one, at.settings).value_or("");
            return sent = why.empty();
        });
        switch (outcome) {
            case outbox::ledger_resend::done: return {"done", "sent again: confirmed and routed"};
            case outbox::ledger_resend::not_done: return {"not_done", "not done"};
            case outbox::ledger_resend::already:
                return {"already", "it was sent again before; --force does it once more"};
            case outbox::ledger_resend::no_entry: break;
        }
        return words_for(ledger_retry::no_entry);
    } catch (const outbox::store_busy&) {
        return {"busy", "somebody else is retrying it just now"};
    } catch (const std::exception& error) {
        if (!sent) throw;
        why = error.what();
        return {"not_recorded", "sent again, but that could not be recorded"};
    }
}

int retry_entries(outbox::store& store, const command::failures& options, const context& at) {
    auto all = json::array();
    bool every = true;
    for (const auto id : options.entries) {
        const auto outcome = store.retry_entry(id);
        auto words = words_for(outcome);
        std::string why;
        if (outcome == ledger_retry::consumers) words = resend(store, id, options, at, why);
        every = every && std::string_view(words.name) == "done";
        json one = {{"entry", id}, {"outcome", words.name}};
        if (!why.empty()) one["reason"] = why;
        all.push_back(std::move(one));
        if (!at.json) std::cout << fmt::format("{}: {}{}\n", id, words.text, why.empty() ? "" : ": " + printable(why));
    }
    if (at.json) std::cout << dumped({{"entries", all}});
    return every ? exit_code::success : exit_code::failed;
}

}  // namespace

int failures(const command::failures& options, const context& at) {
    const auto store = outbox::make_store(at.settings.database, {at.settings.relay.after_delivery, "failures"});
    if (!store->has_ledger()) {
        std::cerr << "outbox-sidecar: there is no ledger of failures (sys_mq_fail); `migrate` makes it\n";
        return exit_code::failed;
    }
    switch (options.what) {
        case command::failures::action::show: return show_entry(*store, options, at.json);
        case command::failures::action::retry: return retry_entries(*store, options, at);
        case command::failures::action::list: break;
    }
    return list_entries(*store, options, at.json);
}

}  // namespace sidecar
