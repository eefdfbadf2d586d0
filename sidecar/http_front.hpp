#pragma once
// sidecar/http_front.hpp - what the process shows over HTTP: a server, with a thread of its own, for each address that
// the settings name.

#include <list>
#include <thread>

#include "conf/settings.hpp"
#include "sidecar/http_server.hpp"
#include "sidecar/log.hpp"
#include "sidecar/source_record.hpp"

namespace sidecar {

/// Serves from construction to destruction.
class http_front {
  public:
    /// Throws http_unavailable, whose words name the setting, and then nothing is served.
    http_front(const conf::http& settings, const source_records& of, log& out);
    ~http_front();
    http_front(const http_front&) = delete;
    http_front& operator=(const http_front&) = delete;

  private:
    struct running {
        explicit running(const conf::address& at, http_routes routes) : server(at, std::move(routes)) {}
        http_server server;
        std::thread thread;
    };

    std::list<running> servers_;
};

}  // namespace sidecar
