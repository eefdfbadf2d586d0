#include "sidecar/api/front.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

#include "conf/load.hpp"
#include "sidecar/api/static_files.hpp"

namespace sidecar::api {
namespace {

using namespace std::chrono_literals;

// Somebody waits for the answer, and a stop may have to.
conf::database impatient(conf::database settings) {
    settings.connect_timeout = std::min<conf::milliseconds>(settings.connect_timeout, 5s);
    settings.query_timeout = std::min<conf::milliseconds>(settings.query_timeout, 10s);
    return settings;
}

std::unique_ptr<outbox::store> store_for(const conf::settings& s) {
    return outbox::make_store(impatient(s.database),
                              {s.relay.after_delivery, "api", s.relay.ordered, s.relay.on_failed});
}

std::unique_ptr<outbox::store> store_for_jobs(const conf::settings& s) {
    return outbox::make_store(s.database, {s.relay.after_delivery, "jobs", s.relay.ordered, s.relay.on_failed});
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != text.npos;) {
        const auto end = std::min(text.find(' ', at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

bool is_local(const conf::address& at) { return boost::asio::ip::make_address(at.ip).is_loopback(); }

std::optional<tls_files> tls_of(const conf::http_access& access) {
    if (access.cert_file.empty()) return std::nullopt;
    return tls_files{access.cert_file, access.key_file};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> faults_of(const conf::http& settings) {
    std::vector<std::pair<std::string, std::string>> faults;
    if (settings.api.empty()) return faults;
    const auto& access = settings.access;
    const auto at = conf::parse_address(settings.api);
    if (at && access.tokens_file.empty() && !is_local(*at))
        faults.emplace_back("http.api", conf::to_text(*at) +
                                            " is not this machine's own address, so http.access.tokens_file has to say "
                                            "who may use the API");
    if (access.cert_file.empty() != access.key_file.empty())
        faults.emplace_back("http.access", "TLS takes both, cert_file and key_file");
    if (at && at->port != 0 && (settings.api == settings.probes || settings.api == settings.metrics))
        faults.emplace_back("http.api", "needs an address of its own, other than that of probes and metrics");
    return faults;
}

front::front(const conf::settings& settings, lasting& with, const vitals& health, std::function<std::string()> instance,
             log& out)
    : settings_(settings),
      work_([this] { return store_for_jobs(settings_); }),
      routes_(make_router(
          {settings_, with.clock, with.began, health, with.samples, with.who, with.pause, std::move(instance), work_})),
      pool_([this] { return store_for(settings_); }, {}),
      gate_(routes_, with.who, pool_, words_of(settings.http.access.hosts), out) {
    const auto& access = settings.http.access;
    with.who.apply(access);
    const auto at = conf::parse_address(settings.http.api).value();
    try {
        server_ = std::make_unique<server>(at, gate_, tls_of(access));
    } catch (const http_unavailable& error) {
        throw http_unavailable(std::string("http.api: ") + error.what(), error.in_use());
    }
    const auto found = conf::to_text(server_->where());
    const bool tls = !access.cert_file.empty();
    out.info("http_listening", "answering over HTTP",
             {{"address", found},
              {"paths", "/ /api/v1"},
              {"tls", tls ? "yes" : "no"},
              {"tokens", access.tokens_file.empty() ? "no: anyone who can connect may do everything" : "yes"}});
    if (!tls && !access.tokens_file.empty() && !is_local(at))
        out.warning("api_unencrypted", "the API has no TLS: anyone on the way can read the tokens and what is answered",
                    {{"address", found}});
    thread_ = std::thread([this] { server_->run(); });
}

front::~front() {
    if (!thread_.joinable()) return;
    work_.stop();
    server_->stop();
    pool_.end();
    thread_.join();
}

}  // namespace sidecar::api
