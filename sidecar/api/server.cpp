#include "sidecar/api/server.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include "conf/load.hpp"
#include "sidecar/api/session.hpp"
#include "sidecar/http_listener.hpp"

namespace sidecar::api {
namespace {

namespace ssl = boost::asio::ssl;

// From TLS 1.2 on.
ssl::context context_of(const tls_files& files) {
    ssl::context context(ssl::context::tls_server);
    context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                        ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression |
                        SSL_OP_NO_RENEGOTIATION);
    const auto done = [](const char* setting, const boost::system::error_code& error) {
        if (error) throw conf::invalid(std::vector<conf::problem>{{setting, error.message()}});
    };
    boost::system::error_code error;
    context.use_certificate_chain_file(files.cert, error);
    done("http.access.cert_file", error);
    context.use_private_key_file(files.key, ssl::context::pem, error);
    done("http.access.key_file", error);
    return context;
}

}  // namespace

struct server::impl {
    impl(const conf::address& at, const gate& to_in, const std::optional<tls_files>& files, server_limits limits_in)
        : to(to_in), limits(limits_in) {
        if (files) tls.emplace(context_of(*files));
        listener.emplace(io, at, limits.http.connections, [this](plain_stream socket) {
            return tls ? open(tls_stream(std::move(socket), *tls)) : open(std::move(socket));
        });
    }

    template <class Stream>
    std::shared_ptr<http_connection> open(Stream stream) {
        const auto one = std::make_shared<session<Stream>>(std::move(stream), to, limits);
        one->start();
        return one;
    }

    const gate& to;
    const server_limits limits;
    std::optional<ssl::context> tls;
    boost::asio::io_context io{1};
    std::optional<http_listener> listener;
};

server::server(const conf::address& at, const gate& to, const std::optional<tls_files>& tls, server_limits limits)
    : impl_(std::make_unique<impl>(at, to, tls, limits)) {}

server::~server() = default;

conf::address server::where() const { return impl_->listener->where(); }

// Want of memory ends one connection, not the process.
void server::run() {
    for (;;) {
        try {
            impl_->io.run();
            return;
        } catch (const std::exception&) {
        }
    }
}

void server::stop() {
    boost::asio::post(impl_->io, [this] { impl_->listener->stop(); });
}

}  // namespace sidecar::api
