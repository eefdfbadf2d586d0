#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "conf/address.hpp"
#include "conf/load.hpp"
#include "conf/units.hpp"
#include "conf/url.hpp"
#include "sidecar/commands.hpp"
#include "sidecar/configuration.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/http_client.hpp"
#include "sidecar/log.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;

[[noreturn]] void refuse(const char* what, const char* why) {
    throw conf::invalid(std::vector<conf::problem>{{what, why}});
}

// Where the sidecar with these settings answers, as seen from its own machine.
std::string own_url(const conf::http& settings) {
    if (settings.probes.empty()) refuse("http.probes", "is not set, so there is nobody to ask; or give --url");
    auto where = conf::parse_address(settings.probes).value();
    if (where.port == 0) refuse("http.probes", "has port 0, which is another one each time; give --url");
    if (where.ip == "0.0.0.0") where.ip = "127.0.0.1";
    if (where.ip == "::") where.ip = "::1";
    return "http://" + conf::to_text(where);
}

conf::url parsed(const std::string& text) {
    try {
        auto url = conf::parse_url(text);
        if (url.scheme == "http" && url.query.empty() && url.user.empty()) return url;
    } catch (const conf::wrong_value&) {
    }
    refuse("--url", "expected http://host:port or http://host:port/path");
}

}  // namespace

int health(const command::health& options, const invocation& wanted) {
    auto text = options.url ? *options.url : own_url(load(wanted).front().settings.http);
    const auto url = parsed(text);
    if (url.path.size() <= 1) text += (url.path.empty() ? "/" : "") + options.probe + "z";
    try {
        const auto reply = http_client({.timeout = patience}).call({.url = text});
        const bool fine = reply.status >= 200 && reply.status < 300;
        (fine ? std::cout : std::cerr) << printable(reply.body.substr(0, reply.body.find('\n'))) << '\n';
        return fine ? exit_code::success : exit_code::unavailable;
    } catch (const http_error& error) {
        std::cerr << fmt::format("outbox-sidecar: {}:{}: {}\n", url.host, url.port, error.what());
        return exit_code::unavailable;
    }
}

}  // namespace sidecar
