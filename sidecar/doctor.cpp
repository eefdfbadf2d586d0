#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "outbox/store.hpp"
#include "relay/broker_doctor.hpp"
#include "relay/cron.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/terminal.hpp"
#include "sidecar/webhook.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using outbox::finding;
using level = finding::grade;

constexpr std::size_t exchanges_asked_for = 100;

struct side {
    std::string name;
    bool reachable = true;
    std::vector<finding> findings;
};

struct pending {
    std::vector<std::pair<std::string, std::uint64_t>> exchanges;
};

side examine_database(const conf::settings& settings, pending& rows) {
    side result{"Database", true, {}};
    try {
        const auto store = outbox::make_store(settings.database, {settings.relay.after_delivery, "doctor",
                                                                  settings.relay.ordered, settings.relay.on_failed});
        result.findings = store->examine();
        if (is_on(settings.webhook) && !store->has_notices())
            result.findings.push_back({level::problem, "webhook",
                                       "there is no table sys_mq_notice beside a ledger, or no right to it",
                                       "Failures are told to nobody. `outbox-sidecar migrate` makes the table."});
        rows.exchanges = store->pending_exchanges(exchanges_asked_for);
    } catch (const outbox::store_unusable& error) {
        result.findings.push_back({level::problem, "connection", error.what(), "Look at database.url."});
    } catch (const outbox::store_error& error) {
        const bool told = std::any_of(result.findings.begin(), result.findings.end(),
                                      [](const finding& one) { return one.level == level::problem; });
        if (!told) result.findings.push_back({level::problem, "statements", error.what(), "Look at the server's log."});
    } catch (const std::runtime_error& error) {
        result.reachable = false;
        result.findings.push_back(
            {level::problem, "connection", error.what(), "Look at database.url, the account and the server's log."});
    }
    return result;
}

side examine_broker(const conf::settings& settings, const pending& rows) {
    auto examination = relay::examine_brokers(settings, rows.exchanges);
    return {"Broker", examination.reachable, std::move(examination.findings)};
}

finding purge_schedule(const conf::purge& purge) {
    const std::string subject = "purging";
    if (purge.schedule.empty())
        return {level::advice, subject, "never by itself: purge.schedule is empty",
                "Set it, or run `outbox-sidecar purge` now and then."};
    const auto next = relay::schedule::parse(purge.schedule, purge.time_zone).next(std::chrono::system_clock::now());
    if (!next) return {level::problem, subject, "purge.schedule never comes", "Correct it."};
    const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(*next - std::chrono::system_clock::now());
    return {level::good, subject, "next in " + rough(until), {}};
}

side examine_configuration(const conf::settings& settings) {
    side result{"Configuration", true, {purge_schedule(settings.purge)}};
    const auto advise = [&](const char* subject, const char* found, const char* advice) {
        result.findings.push_back({level::advice, subject, found, advice});
    };
    if (!settings.purge.delivered && settings.relay.after_delivery == conf::after_delivery::keep)
        advise("retention", "delivered rows are kept for ever: the table grows with every message",
               "Set purge.delivered, or relay.after_delivery: delete.");
    if (settings.database.tls_use == conf::tls_mode::required && !settings.database.tls.verify)
        advise("database.tls", "any certificate is taken, also an impostor's", "Set database.tls.verify: true.");
    std::set<std::string> urls;
    for (const auto& route : settings.webhook.routes) urls.insert(route.url);
    urls.insert(settings.webhook.url);
    urls.erase("");
    for (const auto& url : urls) {
        if (const auto why = why_not_callable(settings.webhook, url))
            result.findings.push_back({level::problem, "webhook", fmt::format("{}: {}", origin_of(url), *why),
                                       "Failures for this url can't be told. Correct it, or set webhook.allow_local."});
        else
            result.findings.push_back({level::good, "webhook", origin_of(url), {}});
    }
    return result;
}

std::string_view name_of(level found) {
    switch (found) {
        case finding::grade::good: return "ok";
        case finding::grade::advice: return "advice";
        case finding::grade::problem: return "PROBLEM";
    }
    return "?";
}

std::size_t count(const std::vector<side>& sides, level wanted) {
    std::size_t number = 0;
    for (const auto& one : sides)
        number += static_cast<std::size_t>(std::count_if(one.findings.begin(), one.findings.end(),
                                                         [&](const finding& f) { return f.level == wanted; }));
    return number;
}

void print_text(const std::vector<side>& sides) {
    for (const auto& one : sides) {
        std::cout << one.name << '\n';
        table rows({table::align::left, table::align::left, table::align::left});
        for (const auto& finding : one.findings)
            rows.add({std::string(name_of(finding.level)), finding.subject,
                      finding.found + (finding.advice.empty() ? "" : "\n" + finding.advice)});
        std::cout << rows.print(terminal_width(STDOUT_FILENO), 2) << '\n';
    }
    const auto problems = count(sides, level::problem), advice = count(sides, level::advice);
    std::cout << fmt::format("{} problem{}, {} piece{} of advice\n", problems, problems == 1 ? "" : "s", advice,
                             advice == 1 ? "" : "s");
}

void print_json(const std::vector<side>& sides, const context& at) {
    json document = {{"problems", count(sides, level::problem)}, {"advice", count(sides, level::advice)}};
    for (const auto& one : sides) {
        auto findings = json::array();
        for (const auto& finding : one.findings) {
            const auto name = finding.level == level::problem ? "problem" : name_of(finding.level);
            findings.push_back(
                {{"level", name}, {"subject", finding.subject}, {"found", finding.found}, {"advice", finding.advice}});
        }
        auto key = one.name;
        key[0] = static_cast<char>(key[0] + ('a' - 'A'));
        document[key] = {{"reachable", one.reachable}, {"findings", findings}};
    }
    std::cout << (at.source.empty() ? document.dump(2, ' ', false, json::error_handler_t::replace) + '\n'
                                    : printed(at, document));
}

}  // namespace

int doctor(const context& at) {
    pending rows;
    std::vector<side> sides;
    sides.push_back(examine_database(at.settings, rows));
    sides.push_back(examine_broker(at.settings, rows));
    sides.push_back(examine_configuration(at.settings));
    at.json ? print_json(sides, at) : print_text(sides);

    const bool all_reachable = std::all_of(sides.begin(), sides.end(), [](const side& one) { return one.reachable; });
    if (!all_reachable) return exit_code::unavailable;
    return count(sides, level::problem) > 0 ? exit_code::failed : exit_code::success;
}

}  // namespace sidecar
