#pragma once
// sidecar/http_listener.hpp - takes connections, up to a number of them. Includes Boost.Asio; only servers' own files
// use it.

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <list>
#include <memory>

#include "conf/address.hpp"

namespace sidecar {

/// All on the server's thread.
class http_connection {
  public:
    virtual ~http_connection() = default;

    /// Ends as soon as nothing is being answered.
    virtual void finish() = 0;
    virtual void close() = 0;
};

class http_listener {
  public:
    /// `begin` makes something of a new connection. With `most` of them, the oldest is closed for the newest, so that
    /// nobody can keep others out by holding connections open. Throws http_unavailable.
    using opener = std::function<std::shared_ptr<http_connection>(boost::asio::ip::tcp::socket)>;
    http_listener(boost::asio::io_context& io, const conf::address& at, std::size_t most, opener begin);

    conf::address where() const;

    /// Takes no more connections, and lets those there are finish.
    void stop();

  private:
    void accept();
    void pause();
    void begin(boost::asio::ip::tcp::socket socket);

    const std::size_t most_;
    const opener open_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer timer_;
    std::list<std::weak_ptr<http_connection>> connections_;  // the oldest first
};

}  // namespace sidecar
