#pragma once
// sidecar/http_server.hpp - a small HTTP/1.1 server. It answers GET and HEAD, and trusts nobody:
//
//   a request's head over 8 KiB         431     a method other than GET and HEAD    405
//   a head that can't be understood     400     an unknown path                     404
//   a head that takes too long          408     a body                              413
//   a version other than 1.0 and 1.1    505
//
// After each of them but 404 and 405 the connection is closed. With too many connections the oldest is closed for the
// newest, so that nobody can keep others out by holding connections open.

#include <chrono>
#include <memory>
#include <stdexcept>

#include "conf/address.hpp"
#include "sidecar/http_routes.hpp"

namespace sidecar {

/// The address can't be listened on.
class http_unavailable : public std::runtime_error {
  public:
    http_unavailable(const std::string& what, bool in_use) : runtime_error(what), in_use_(in_use) {}
    /// Somebody else does; it may be free again later.
    bool in_use() const { return in_use_; }

  private:
    bool in_use_;
};

struct http_limits {
    std::size_t connections = 64;
    std::chrono::milliseconds head{10'000};   // from its first byte, or the connection's beginning, to its end
    std::chrono::milliseconds idle{60'000};   // between two requests of a connection
    std::chrono::milliseconds write{10'000};  // of a whole answer
};

class http_server {
  public:
    /// Listens from now on; answers once run() is called. Throws http_unavailable.
    http_server(const conf::address& at, http_routes routes, http_limits limits = {});
    ~http_server();

    /// With the port that was found, if 0 was asked for.
    conf::address where() const;

    /// Serves until stop(). One thread; the answers are made on it.
    void run();

    /// Takes no more connections and closes those that are idle; what is being answered is finished, for at most a
    /// second. Any thread.
    void stop();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sidecar
