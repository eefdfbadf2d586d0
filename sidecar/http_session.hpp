#pragma once
// sidecar/http_session.hpp - one connection of the HTTP server: request, answer, request … Includes Boost.Beast; only
// the server's own files use it.

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>

#include "sidecar/http_listener.hpp"
#include "sidecar/http_routes.hpp"
#include "sidecar/http_server.hpp"

namespace sidecar {

/// Lives as long as it waits for something. All on the server's thread.
class http_session final : public http_connection, public std::enable_shared_from_this<http_session> {
  public:
    http_session(boost::asio::ip::tcp::socket socket, const http_routes& routes, const http_limits& limits);

    void start() { read_head(); }

    void finish() override;
    void close() override;

  private:
    using error_code = boost::system::error_code;
    enum class state { idle, reading, answering, closing };

    void await_request();
    void read_head();
    void on_head(const error_code& error);
    void refuse(const error_code& error);
    void answer();
    void reject(unsigned status, std::string_view why, bool head_only = false);
    void send(http_answer&& what, bool keep, bool head_only);
    void on_sent(const error_code& error);
    void part();
    void discard(std::size_t left);
    void within(std::chrono::milliseconds time);
    void on_time_over();

    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer timer_;
    const http_routes& routes_;
    const http_limits& limits_;

    state state_ = state::reading;
    bool finishing_ = false;
    bool late_ = false;  // the head took too long
    boost::beast::flat_buffer buffer_;
    std::optional<boost::beast::http::request_parser<boost::beast::http::buffer_body>> parser_;
    boost::beast::http::response<boost::beast::http::string_body> response_;
    std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
    std::array<char, 1024> discarded_{};
};

}  // namespace sidecar
