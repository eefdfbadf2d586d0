#include "sidecar/http_get.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <optional>

namespace sidecar {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint64_t most_body = 1024 * 1024;

// One step follows the other; whatever fails ends it.
class exchange {
  public:
    exchange(const conf::url& what, asio::io_context& io) : resolver_(io), socket_(io) {
        request_.version(11);
        request_.method(http::verb::get);
        request_.target(what.path.empty() ? "/" : what.path);
        request_.set(http::field::host, what.host);
        request_.keep_alive(false);
        parser_.body_limit(most_body);
        resolver_.async_resolve(what.host, std::to_string(what.port), [this](const error_code& error, auto found) {
            if (!failed(error)) connect(found);
        });
    }

    std::optional<error_code> result;  // nullopt: not over yet
    http_reply reply;

  private:
    void connect(const asio::ip::tcp::resolver::results_type& to) {
        asio::async_connect(socket_, to, [this](const error_code& error, const auto&) {
            if (!failed(error)) write();
        });
    }

    void write() {
        http::async_write(socket_, request_, [this](const error_code& error, std::size_t) {
            if (!failed(error)) read();
        });
    }

    void read() {
        http::async_read(socket_, buffer_, parser_, [this](const error_code& error, std::size_t) {
            if (failed(error)) return;
            reply = {parser_.get().result_int(), std::move(parser_.get().body())};
            result = error;
        });
    }

    bool failed(const error_code& error) {
        if (error) result = error;
        return static_cast<bool>(error);
    }

    asio::ip::tcp::resolver resolver_;
    asio::ip::tcp::socket socket_;
    http::request<http::empty_body> request_;
    boost::beast::flat_buffer buffer_;
    http::response_parser<http::string_body> parser_;
};

}  // namespace

http_reply http_get(const conf::url& what, std::chrono::milliseconds at_most) {
    asio::io_context io;
    exchange one(what, io);
    io.run_for(at_most);
    if (!one.result) throw http_silent("no answer within " + std::to_string(at_most.count()) + " ms");
    if (*one.result) throw http_silent(one.result->message());
    return std::move(one.reply);
}

}  // namespace sidecar
