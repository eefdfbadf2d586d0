#include "sidecar/commands.hpp"

#include <unistd.h>

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

int complain(int code, const char* what) {
    std::cerr << "outbox-sidecar: " << printable(what) << '\n';
    return code;
}

int complain(const conf::invalid& error) {
    for (const auto& one : error.problems()) std::cerr << printable(one.where) << ": " << printable(one.what) << '\n';
    return exit_code::configuration;
}

}  // namespace

int execute(const invocation& wanted) {
    try {
        if (std::holds_alternative<command::version>(wanted.what)) return print_version(wanted.json);
        if (const auto* options = std::get_if<command::health>(&wanted.what)) return health(*options, wanted);
        const auto settings = load(wanted);
        const context at{wanted, settings, wanted.json};
        const int code = std::visit([&](const auto& one) { return dispatch(one, at); }, wanted.what);
        std::cout.flush();
        return code;
    } catch (const conf::invalid& error) {
        return complain(error);
    } catch (const outbox::store_unavailable& error) {
        return complain(exit_code::unavailable, error.what());
    } catch (const outbox::store_busy& error) {
        return complain(exit_code::unavailable, error.what());
    } catch (const outbox::store_unusable& error) {
        return complain(exit_code::configuration, error.what());
    } catch (const outbox::store_error& error) {
        return complain(exit_code::failed, error.what());
    } catch (const std::exception& error) {
        return complain(exit_code::internal, error.what());
    }
}

// What can't be relayed in order is not to be relayed at all. While the database is away nothing can be said of it;
// the relay looks again.
void require_order(const conf::settings& settings) {
    if (!settings.relay.ordered) return;
    const auto store =
        outbox::make_store(settings.database, {settings.relay.after_delivery, "start", true, settings.relay.on_failed});
    try {
        store->require_order();
    } catch (const outbox::store_unusable& error) {
        throw conf::invalid(std::vector<conf::problem>{{"database", error.what()}});
    } catch (const outbox::store_error&) {
    } catch (const outbox::store_unavailable&) {
    } catch (const outbox::store_busy&) {
    }
}

int run(const command::run& options, const context& at) {
    require_order(at.settings);
    log out(at.settings.log, std::cerr, isatty(STDERR_FILENO) != 0);
    try {
        return run_process(
            at.settings, options.until_empty,
            [&] {
                auto fresh = load(at.wanted);
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
    const auto& http = at.settings.http;
    if (!http.api.empty() && !http.access.tokens_file.empty()) api::load_tokens(http.access.tokens_file);
    std::cout << (at.json ? conf::print_json(at.settings) : conf::print_yaml(at.settings));
    return exit_code::success;
}

}  // namespace sidecar
