#include "relay/broker_doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "conf/checks.hpp"
#include "conf/url.hpp"
#include "relay/amqp_connection.hpp"

namespace relay {
namespace {

using level = outbox::finding::grade;

constexpr std::size_t longest_name = 255;  // bytes of a short string, AMQP 0-9-1 section 4.2.5.3

std::string name_of(const conf::url& url) { return fmt::format("{}://{}:{}", url.scheme, url.host, url.port); }

bool is_far_away(const std::string& host) { return host != "localhost" && host != "::1" && !host.starts_with("127."); }

outbox::finding encryption(const conf::url& url, const conf::broker& settings) {
    const std::string subject = "encryption to " + name_of(url);
    if (url.scheme == "amqps" && settings.tls.verify) return {level::good, subject, "TLS, certificate verified", {}};
    if (url.scheme == "amqps")
        return {level::advice, subject, "TLS, but any certificate is taken, also an impostor's",
                "Set broker.tls.verify: true, and broker.tls.ca_file if the authority is your own."};
    if (!is_far_away(url.host)) return {level::good, subject, "none; the broker is on this machine", {}};
    return {level::advice, subject, "none: anyone on the way to the broker can read the messages and change them",
            "Use an amqps:// url."};
}

outbox::finding greeting(const conf::url& url, const amqp::connection& broker) {
    const auto identity = broker.identity();
    auto found = fmt::format("{} {}, logged in as {} to virtual host {}", identity.product, identity.version,
                             url.user.empty() ? "guest" : url.user, url.vhost());
    if (!identity.cluster.empty()) found += ", cluster " + identity.cluster;
    return {level::good, name_of(url), found, {}};
}

// Those that the topology names are looked at as part of it.
bool is_named(const conf::topology& topology, const std::string& exchange) {
    return std::any_of(topology.exchanges.begin(), topology.exchanges.end(),
                       [&](const conf::exchange& one) { return one.name == exchange; });
}

std::vector<outbox::finding> pending_exchanges(amqp::connection& broker, const conf::topology& topology,
                                               const std::vector<std::pair<std::string, std::uint64_t>>& pending) {
    std::vector<outbox::finding> missing;
    for (const auto& [name, rows] : pending) {
        if (is_named(topology, name)) continue;
        const auto subject = fmt::format("exchange '{}'", name);
        if (name.size() > longest_name) {
            missing.push_back(
                {level::problem, subject,
                 fmt::format("{} waiting row(s) name it, and its name is over {} bytes", rows, longest_name),
                 "These rows will fail: correct them."});
        } else if (const auto refused = broker.ask_for_exchange(name)) {
            missing.push_back({level::problem, subject,
                               fmt::format("{} waiting row(s) name it: {} {}", rows, refused->code, refused->text),
                               "Create it, or name it in the configuration's topology; or correct the rows."});
        }
    }
    if (missing.empty() && !pending.empty())
        missing.push_back({level::good,
                           "exchanges of waiting rows",
                           fmt::format("all {} that were asked for exist", pending.size()),
                           {}});
    return missing;
}

std::vector<outbox::finding> missing_topology(amqp::connection& broker, const conf::topology& topology) {
    std::vector<outbox::finding> missing;
    const auto note = [&](const std::string& what, const std::optional<amqp::refusal>& refused) {
        if (!refused) return;
        const bool absent = refused->code == 404;
        missing.push_back({absent ? level::advice : level::problem, what,
                           fmt::format("named by the topology, but: {} {}", refused->code, refused->text),
                           absent ? "`run` declares it when it connects, if its account has the right to configure it."
                                  : "Give the account the right to it, or take it out of the topology."});
    };
    for (const auto& one : topology.exchanges)
        note(fmt::format("exchange '{}'", one.name), broker.ask_for_exchange(one.name));
    for (const auto& one : topology.queues) note(fmt::format("queue '{}'", one.name), broker.ask_for_queue(one.name));
    const auto asked = topology.exchanges.size() + topology.queues.size();
    if (missing.empty() && asked > 0)
        missing.push_back({level::good,
                           "topology",
                           fmt::format("all {} exchanges and queues exist; whether in the same form, and the bindings, "
                                       "`run` sees when it declares them",
                                       asked),
                           {}});
    return missing;
}

const conf::queue* find(const conf::topology& topology, const std::string& queue) {
    const auto found = std::find_if(topology.queues.begin(), topology.queues.end(),
                                    [&](const conf::queue& one) { return one.name == queue; });
    return found == topology.queues.end() ? nullptr : &*found;
}

// Null if it is not there.
nlohmann::json argument_of(const conf::queue& queue, std::string_view name) {
    for (const auto& one : queue.arguments) {
        if (one.name == name) return nlohmann::json::parse(one.json);
    }
    return nullptr;
}

// From 4.0 on, a quorum queue has a limit unless it is told otherwise.
bool limits_deliveries(const conf::queue& queue, const std::string& version) {
    if (argument_of(queue, "x-queue-type") != "quorum") return false;
    const auto limit = argument_of(queue, "x-delivery-limit");
    return limit.is_number() ? limit >= 0 : !version.starts_with("3.");
}

// What it is like is only known of what the topology says: AMQP tells of a queue that it exists, and no more.
outbox::finding receipts_queue(amqp::connection& broker, const conf::topology& topology, const std::string& name) {
    const auto subject = fmt::format("receipts queue '{}'", name);
    const auto* declared = find(topology, name);
    if (declared != nullptr && limits_deliveries(*declared, broker.identity().version))
        return {level::advice, subject, "a quorum queue with a delivery limit: an outage of the database uses it up",
                "Give it the argument x-delivery-limit: -1, or make it a classic queue."};
    const auto refused = broker.ask_for_queue(name);
    if (!refused && declared != nullptr) return {level::good, subject, "exists", {}};
    if (!refused)
        return {level::good,
                subject,
                "exists; if it is a quorum queue, it must have no delivery limit: `rabbitmqctl list_queues name type "
                "arguments policy` shows it",
                {}};
    if (refused->code == 404)
        return {
            level::good, subject, "not there yet: `run` declares it, if its account has the right to configure it", {}};
    return {level::problem, subject, fmt::format("{} {}", refused->code, refused->text),
            "Give the account the right to read it."};
}

std::vector<outbox::finding> dead_letter_queues(amqp::connection& broker, const conf::settings& settings) {
    std::vector<outbox::finding> found;
    for (const auto& one : settings.dead_letters) {
        if (one.queue.empty()) continue;  // a pattern
        const auto subject = fmt::format("dead-letter queue '{}'", one.queue);
        const auto refused = broker.ask_for_queue(one.queue);
        if (!refused)
            found.push_back({level::good, subject, "exists", {}});
        else if (refused->code == 404 && find(settings.topology, one.queue) != nullptr)
            found.push_back({level::good, subject, "not there yet: `run` declares it, as the topology names it", {}});
        else if (refused->code == 404)
            found.push_back({level::problem, subject, "not there: nothing can be redriven from it",
                             "Create it, or name it in the configuration's topology; or correct dead_letters."});
        else
            found.push_back({level::problem, subject, fmt::format("{} {}", refused->code, refused->text),
                             "Give the account the right to read it."});
    }
    return found;
}

void append(std::vector<outbox::finding>& to, std::vector<outbox::finding> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

broker_examination examine_brokers(const conf::settings& settings,
                                   const std::vector<std::pair<std::string, std::uint64_t>>& pending) {
    broker_examination result;
    const auto& topology = settings.topology;
    if (conf::names_log(settings.broker.urls)) {
        const char* found = "none: broker.urls is log:, so messages are printed and sent to nobody";
        return {true, {{level::advice, "broker", found, "Name a broker before anyone relies on status 1."}}};
    }
    for (const auto& text : settings.broker.urls) {
        const auto url = conf::parse_url(text);
        try {
            amqp::connection broker(url, settings.broker);
            result.findings.push_back(greeting(url, broker));
            result.findings.push_back(encryption(url, settings.broker));
            // The nodes of one cluster all know the same.
            if (!result.reachable) {
                append(result.findings, missing_topology(broker, topology));
                append(result.findings, pending_exchanges(broker, topology, pending));
                if (!settings.receipts.queue.empty())
                    result.findings.push_back(receipts_queue(broker, topology, settings.receipts.queue));
                append(result.findings, dead_letter_queues(broker, settings));
            }
            result.reachable = true;
            broker.close();
        } catch (const amqp::connection_lost& error) {
            result.findings.push_back({level::problem, name_of(url), error.what(),
                                       "Look at the address, the login, the virtual host and the broker's log."});
        }
    }
    return result;
}

}  // namespace relay
