#include "sidecar/http_listener.hpp"

#include "sidecar/http_server.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::system::error_code;

// There may be no descriptor left for another connection.
constexpr auto pause_after_failure = 100ms;

}  // namespace

http_listener::http_listener(boost::asio::io_context& io, const conf::address& at, std::size_t most, opener begin)
    : most_(most), open_(std::move(begin)), acceptor_(io), timer_(io) {
    error_code error;
    const tcp::endpoint where(boost::asio::ip::make_address(at.ip), at.port);
    const auto done = [&](const error_code& now) {
        if (now)
            throw http_unavailable("can't listen on " + conf::to_text(at) + ": " + now.message(),
                                   now == boost::asio::error::address_in_use);
    };
    acceptor_.open(where.protocol(), error);
    done(error);
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    done(error);
    acceptor_.bind(where, error);
    done(error);
    acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
    done(error);
    accept();
}

conf::address http_listener::where() const {
    const auto local = acceptor_.local_endpoint();
    return {local.address().to_string(), local.port()};
}

void http_listener::stop() {
    error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    for (const auto& one : connections_) {
        if (const auto connection = one.lock()) connection->finish();
    }
}

void http_listener::accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
        if (!acceptor_.is_open()) return;
        if (error) return pause();
        accept();
        begin(std::move(socket));
    });
}

void http_listener::pause() {
    timer_.expires_after(pause_after_failure);
    timer_.async_wait([this](const error_code& error) {
        if (!error && acceptor_.is_open()) accept();
    });
}

void http_listener::begin(tcp::socket socket) {
    connections_.remove_if([](const auto& one) { return one.expired(); });
    if (connections_.size() >= most_) {
        if (const auto oldest = connections_.front().lock()) oldest->close();
        connections_.pop_front();
    }
    connections_.push_back(open_(std::move(socket)));
}

}  // namespace sidecar
