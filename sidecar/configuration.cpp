#include "sidecar/configuration.hpp"

#include <filesystem>
#include <stdexcept>

#include "outbox/store.hpp"
#include "relay/compose.hpp"
#include "relay/cron.hpp"
#include "relay/observer.hpp"
#include "relay/publisher.hpp"
#include "sidecar/api/front.hpp"
#include "sidecar/management_api.hpp"
#include "sidecar/webhook.hpp"

namespace sidecar {
namespace {

// What only those who use a setting can judge.
void verify(const conf::source& source, std::vector<conf::problem>& problems) {
    const auto& s = source.settings;
    const auto attempt = [&](const std::string& where, auto&& build) {
        try {
            build();
        } catch (const std::invalid_argument& error) {
            problems.push_back({source.name.empty() ? where : source.name + ": " + where, error.what()});
        }
    };
    relay::observer nobody;
    attempt("database", [&] { outbox::make_store(s.database, {}); });
    attempt("broker", [&] {
        relay::make_publisher(
            s.broker, s.topology, s.relay.window, [] { return 0.0; }, nobody);
    });
    attempt("message", [&] { relay::composer{s.message}; });
    attempt("purge.schedule", [&] {
        if (!s.purge.schedule.empty()) relay::schedule::parse(s.purge.schedule, s.purge.time_zone);
    });
    attempt("webhook", [&] {
        if (is_on(s.webhook)) webhook{s.webhook, {}, {}};
    });
    attempt("management", [&] {
        if (!s.management.url.empty()) management_api{s.management, s.broker.urls, s.dead_letters};
    });
}

}  // namespace

std::string config_file(const invocation& wanted, const conf::environment& env,
                        const std::function<bool(const std::string&)>& exists) {
    if (wanted.config_file) return *wanted.config_file;
    if (const auto named = env.find("OUTBOX_CONFIG"); named != env.end() && !named->second.empty())
        return named->second;
    for (const char* usual : {"./sidecar.yaml", "/etc/outbox-sidecar/sidecar.yaml"}) {
        if (exists(usual)) return usual;
    }
    return {};
}

std::vector<conf::source> load(const invocation& wanted) {
    const auto env = conf::process_environment();
    const auto exists = [](const std::string& file) {
        std::error_code ignored;
        return std::filesystem::exists(file, ignored);
    };
    auto sources = conf::load_sources(config_file(wanted, env, exists), env, wanted.overrides);
    std::vector<conf::problem> problems;
    for (const auto& one : sources) verify(one, problems);
    for (const auto& [where, what] : api::faults_of(sources.front().settings.http)) problems.push_back({where, what});
    if (!problems.empty()) throw conf::invalid(std::move(problems));
    return sources;
}

}  // namespace sidecar
