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
void verify(const conf::settings& s) {
    std::vector<conf::problem> problems;
    const auto attempt = [&](const char* where, auto&& build) {
        try {
            build();
        } catch (const std::invalid_argument& error) {
            problems.push_back({where, error.what()});
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
    for (const auto& [where, what] : api::faults_of(s.http)) problems.push_back({where, what});
    attempt("webhook", [&] {
        if (is_on(s.webhook)) webhook{s.webhook, {}, {}};
    });
    attempt("management", [&] {
        if (!s.management.url.empty()) management_api{s.management, s.broker.urls, s.dead_letters};
    });
    if (!problems.empty()) throw conf::invalid(std::move(problems));
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

conf::settings load(const invocation& wanted) {
    const auto env = conf::process_environment();
    const auto exists = [](const std::string& file) {
        std::error_code ignored;
        return std::filesystem::exists(file, ignored);
    };
    auto settings = conf::load(config_file(wanted, env, exists), env, wanted.overrides);
    verify(settings);
    return settings;
}

}  // namespace sidecar
