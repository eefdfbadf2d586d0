#include "sidecar/commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "conf/load.hpp"
#include "conf/print.hpp"
#include "outbox/store.hpp"
#include "sidecar/api/tokens.hpp"
#include "sidecar/configuration.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/http_server.hpp"
#include "sidecar/log.hpp"
#include "sidecar/process.hpp"
#include "sidecar/version.hpp"

namespace sidecar {
namespace {

int dispatch(const command::run& options, const context& at) { return run(options, at); }
int dispatch(const command::check&, const context& at) { return check(at); }
int dispatch(const command::migrate& options, const context& at) { return migrate(options, at); }
int dispatch(const command::doctor&, const context& at) { return doctor(at); }
int dispatch(const command::status& options, const context& at) { return status(options, at); }
int dispatch(const command::purge& options, const context& at) { return purge(options, at); }
int dispatch(const command::list& options, const context& at) { return list(options, at); }
int dispatch(const command::groups& options, const context& at) { return groups(options, at); }
int dispatch(const command::show& options, const context& at) { return show(options, at); }
int dispatch(const command::retry& options, const context& at) { return retry(options, at); }
int dispatch(const command::remove& options, const context& at) { return remove(options, at); }
int dispatch(const command::redrive& options, const context& at) { return redrive(options, at); }
int dispatch(const command::failures& options, const context& at) { return failures(options, at); }
int dispatch(const command::health& options, const context& at) { return health(options, at.wanted); }
int dispatch(const command::version&, const context&) { return exit_code::success; }

int print_version(bool json) {
    if (json)
        std::cout << nlohmann::json{{"version", version}}.dump() << '\n';
    else
        std::cout << "outbox-sidecar " << version << '\n';
    return exit_code::success;
}

int complain(int code, const std::string& what) {
    std::cerr << "outbox-sidecar: " << printable(what) << '\n';
    return code;
}

int complain(const conf::invalid& error) {
    for (const auto& one : error.problems()) std::cerr << printable(one.where) << ": " << printable(one.what) << '\n';
    return exit_code::configuration;
}

// The exit code; `complain` is told it and the words when something goes wrong.
template <class Work, class Complain>
int guarded(Work&& work, Complain&& complain_of) {
    try {
        const int code = work();
        std::cout.flush();
        return code;
    } catch (const conf::invalid& error) {
        return complain(error);
    } catch (const outbox::store_unavailable& error) {
        return complain_of(exit_code::unavailable, error.what());
    } catch (const outbox::store_busy& error) {
        return complain_of(exit_code::unavailable, error.what());
    } catch (const outbox::store_unusable& error) {
        return complain_of(exit_code::configuration, error.what());
    } catch (const outbox::store_error& error) {
        return complain_of(exit_code::failed, error.what());
    } catch (const std::exception& error) {
        return complain_of(exit_code::internal, error.what());
    }
}

int dispatch(const context& at) {
    return std::visit([&](const auto& one) { return dispatch(one, at); }, at.wanted.what);
}

template <class... Commands>
bool is_one_of(const command::any& what) {
    return (std::holds_alternative<Commands>(what) || ...);
}

std::string names_of(const std::vector<conf::source>& sources) {
    std::string names;
    for (const auto& one : sources) names += (names.empty() ? "" : ", ") + one.name;
    return names;
}

// The others go on when one can't be served. The code is the gravest.
int one_after_the_other(const invocation& wanted, const std::vector<conf::source>& sources) {
    const auto* migration = std::get_if<command::migrate>(&wanted.what);
    const bool sql = migration != nullptr && migration->how == command::migrate::mode::print;
    int gravest = exit_code::success;
    for (const auto& one : sources) {
        const context at{wanted, one.settings, wanted.json, one.name};
        if (!wanted.json)
            std::cout << (&one == &sources.front() ? "" : "\n") << (sql ? "-- " : "") << "Source " << one.name
                      << std::endl;  // before what is said on standard error
        const int code = guarded([&] { return dispatch(at); },
                                 [&](int failure, const char* what) {
                                     if (wanted.json) std::cout << printed(at, {{"error", printable(what)}});
                                     return complain(failure, one.name + ": " + what);
                                 });
        gravest = std::max(gravest, code);
    }
    return gravest;
}

// Empty: there is none of that name.
std::vector<conf::source> narrowed(std::vector<conf::source> sources, const std::optional<std::string>& name) {
    if (name) std::erase_if(sources, [&](const auto& one) { return one.name.empty() || one.name != *name; });
    return sources;
}

int dispatch_to(const invocation& wanted, const std::vector<conf::source>& all) {
    const auto sources = narrowed(all, wanted.source);
    if (sources.empty())
        return complain(exit_code::usage,
                        all.front().name.empty()
                            ? "--source: the configuration has no list of sources"
                            : fmt::format("--source: there is none called {}, but {}", *wanted.source, names_of(all)));
    if (is_one_of<command::run, command::check>(wanted.what))
        return dispatch({wanted, sources.front().settings, wanted.json, {}, sources});
    const bool plain = wanted.source || sources.front().name.empty();
    const auto* status = std::get_if<command::status>(&wanted.what);
    const bool watches = status != nullptr && status->watch;
    if (!plain && !watches &&
        is_one_of<command::migrate, command::doctor, command::status, command::purge>(wanted.what))
        return one_after_the_other(wanted, sources);
    if (sources.size() > 1)
        return complain(exit_code::usage, "--source: is required here, as there are several: " + names_of(sources));
    return dispatch({wanted, sources.front().settings, wanted.json});
}

}  // namespace

int execute(const invocation& wanted) {
    return guarded(
        [&] {
            if (is_one_of<command::version>(wanted.what)) return print_version(wanted.json);
            if (const auto* options = std::get_if<command::health>(&wanted.what)) return health(*options, wanted);
            return dispatch_to(wanted, load(wanted));
        },
        [](int code, const char* what) { return complain(code, what); });
}

std::string printed(const context& at, const nlohmann::ordered_json& document) {
    nlohmann::ordered_json all = nlohmann::ordered_json::object();
    if (!at.source.empty()) all["source"] = at.source;
    all.update(document);
    return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

// What can't be relayed in order is not to be relayed at all. While the database is away nothing can be said of it;
// the relay looks again.
void require_order(const std::vector<conf::source>& sources) {
    std::vector<conf::problem> problems;
    for (const auto& [name, settings] : sources) {
        if (!settings.relay.ordered) continue;
        const auto store = outbox::make_store(settings.database,
                                              {settings.relay.after_delivery, "start", true, settings.relay.on_failed});
        try {
            store->require_order();
        } catch (const outbox::store_unusable& error) {
            problems.push_back({name.empty() ? "database" : name + ": database", error.what()});
        } catch (const outbox::store_error&) {
        } catch (const outbox::store_unavailable&) {
        } catch (const outbox::store_busy&) {
        }
    }
    if (!problems.empty()) throw conf::invalid(std::move(problems));
}

// What the API answers is about one table.
void require_one(const std::vector<conf::source>& sources) {
    if (sources.size() > 1 && !sources.front().settings.http.api.empty())
        throw conf::invalid(std::vector<conf::problem>{
            {"http.api", "the API and the console serve one source, and here are several: leave it empty"}});
}

int run(const command::run& options, const context& at) {
    require_one(at.sources);
    require_order(at.sources);
    log out(at.settings.log, std::cerr, isatty(STDERR_FILENO) != 0);
    try {
        return run_process(
            at.sources, options.until_empty,
            [&] {
                auto fresh = narrowed(load(at.wanted), at.wanted.source);
                if (fresh.empty())
                    throw conf::invalid(
                        std::vector<conf::problem>{{"--source", "there is none of that name any more"}});
                require_one(fresh);
                require_order(fresh);
                return fresh;
            },
            out);
    } catch (const http_unavailable& error) {
        out.error("http_unavailable", error.what());
        return error.in_use() ? exit_code::unavailable : exit_code::configuration;
    } catch (const conf::invalid&) {
        throw;
    } catch (const std::exception& error) {
        out.error("internal_error", error.what());
        return exit_code::internal;
    }
}

int check(const context& at) {
    require_one(at.sources);
    const auto& http = at.settings.http;
    if (!http.api.empty() && !http.access.tokens_file.empty()) api::load_tokens(http.access.tokens_file);
    std::cout << (at.json ? conf::print_json(at.sources) : conf::print_yaml(at.sources));
    return exit_code::success;
}

}  // namespace sidecar
