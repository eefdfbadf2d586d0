#include "relay/broker_doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

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

void append(std::vector<outbox::finding>& to, std::vector<outbox::finding> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

broker_examination examine_brokers(const conf::broker& settings, const conf::topology& topology,
                                   const std::vector<std::pair<std::string, std::uint64_t>>& pending) {
    broker_examination result;
    if (conf::names_log(settings.urls)) {
        const char* found = "none: broker.urls is log:, so messages are printed and sent to nobody";
        return {true, {{level::advice, "broker", found, "Name a broker before anyone relies on status 1."}}};
    }
    for (const auto& text : settings.urls) {
        const auto url = conf::parse_url(text);
        try {
            amqp::connection broker(url, settings);
            result.findings.push_back(greeting(url, broker));
            result.findings.push_back(encryption(url, settings));
            // The nodes of one cluster all know the same.
            if (!result.reachable) {
                append(result.findings, missing_topology(broker, topology));
                append(result.findings, pending_exchanges(broker, topology, pending));
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
