#pragma once
// sidecar/api/server.hpp - the HTTP/1.1 server of the API and the console, with TLS or without. It trusts nobody:
//
//   a head over 16 KiB                  431     a request that takes too long               408
//   a body over 1 MiB                   413     a Transfer-Encoding other than chunked      501
//   what can't be understood            400     a version other than 1.0 and 1.1            505
//
// After each of them the connection is closed. With too many connections the oldest is closed for the newest.

#include <memory>
#include <optional>
#include <string>

#include "conf/address.hpp"
#include "sidecar/api/gate.hpp"
#include "sidecar/http_server.hpp"

namespace sidecar::api {

struct server_limits {
    http_limits http{256, std::chrono::seconds(10), std::chrono::seconds(60), std::chrono::seconds(30)};
    std::chrono::milliseconds body{30'000};  // from the head's end to its own
};

/// PEM files.
struct tls_files {
    std::string cert;
    std::string key;
};

class server {
  public:
    /// Listens from now on; answers once run() is called. `to` outlives it. Throws http_unavailable; conf::invalid for
    /// files that TLS can't be spoken with.
    server(const conf::address& at, const gate& to, const std::optional<tls_files>& tls, server_limits limits = {});
    ~server();

    /// With the port that was found, if 0 was asked for.
    conf::address where() const;

    /// Serves until stop(), and until all answers have come that handlers were asked for. One thread.
    void run();

    /// Takes no more connections and closes those that are idle; what is being answered is finished, for at most a
    /// second. Any thread.
    void stop();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sidecar::api
