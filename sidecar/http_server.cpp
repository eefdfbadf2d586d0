#include "sidecar/http_server.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>

#include "sidecar/http_session.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::system::error_code;

// There may be no descriptor left for another connection.
constexpr auto pause_after_failure = 100ms;

}  // namespace

struct http_server::impl {
    impl(const conf::address& at, http_routes routes_in, http_limits limits_in)
        : routes(std::move(routes_in)), limits(limits_in) {
        error_code error;
        const tcp::endpoint where(boost::asio::ip::make_address(at.ip), at.port);
        const auto done = [&](const error_code& now) {
            if (now)
                throw http_unavailable("can't listen on " + conf::to_text(at) + ": " + now.message(),
                                       now == boost::asio::error::address_in_use);
        };
        acceptor.open(where.protocol(), error);
        done(error);
        acceptor.set_option(tcp::acceptor::reuse_address(true), error);
        done(error);
        acceptor.bind(where, error);
        done(error);
        acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
        done(error);
        accept();
    }

    void accept() {
        acceptor.async_accept([this](const error_code& error, tcp::socket socket) {
            if (!acceptor.is_open()) return;
            if (error) return pause();
            accept();
            begin(std::move(socket));
        });
    }

    void pause() {
        timer.expires_after(pause_after_failure);
        timer.async_wait([this](const error_code& error) {
            if (!error && acceptor.is_open()) accept();
        });
    }

    void begin(tcp::socket socket) {
        sessions.remove_if([](const auto& one) { return one.expired(); });
        if (sessions.size() >= limits.connections) {
            if (const auto oldest = sessions.front().lock()) oldest->close();
            sessions.pop_front();
        }
        const auto session = std::make_shared<http_session>(std::move(socket), routes, limits);
        sessions.push_back(session);
        session->start();
    }

    void stop() {
        error_code ignored;
        acceptor.close(ignored);
        timer.cancel();
        for (const auto& one : sessions) {
            if (const auto session = one.lock()) session->finish();
        }
    }

    const http_routes routes;
    const http_limits limits;
    boost::asio::io_context io{1};
    tcp::acceptor acceptor{io};
    boost::asio::steady_timer timer{io};
    std::list<std::weak_ptr<http_session>> sessions;  // the oldest first
};

http_server::http_server(const conf::address& at, http_routes routes, http_limits limits)
    : impl_(std::make_unique<impl>(at, std::move(routes), limits)) {}

http_server::~http_server() = default;

conf::address http_server::where() const {
    const auto local = impl_->acceptor.local_endpoint();
    return {local.address().to_string(), local.port()};
}

// Want of memory ends one connection, not the process.
void http_server::run() {
    for (;;) {
        try {
            impl_->io.run();
            return;
        } catch (const std::exception&) {
        }
    }
}

void http_server::stop() {
    boost::asio::post(impl_->io, [this] { impl_->stop(); });
}

}  // namespace sidecar
