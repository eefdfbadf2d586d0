#include "sidecar/http_server.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "sidecar/http_listener.hpp"
#include "sidecar/http_session.hpp"

namespace sidecar {

struct http_server::impl {
    impl(const conf::address& at, http_routes routes_in, http_limits limits_in)
        : routes(std::move(routes_in)),
          limits(limits_in),
          listener(io, at, limits.connections, [this](boost::asio::ip::tcp::socket socket) {
              const auto session = std::make_shared<http_session>(std::move(socket), routes, limits);
              session->start();
              return session;
          }) {}

    const http_routes routes;
    const http_limits limits;
    boost::asio::io_context io{1};
    http_listener listener;
};

http_server::http_server(const conf::address& at, http_routes routes, http_limits limits)
    : impl_(std::make_unique<impl>(at, std::move(routes), limits)) {}

http_server::~http_server() = default;

conf::address http_server::where() const { return impl_->listener.where(); }

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
    boost::asio::post(impl_->io, [this] { impl_->listener.stop(); });
}

}  // namespace sidecar
