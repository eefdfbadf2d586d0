#pragma once
// sidecar/api/session.hpp - one connection of the API's server, with TLS or without: request, answer, request …
// Includes Boost.Beast; only the server's own files use it.

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>
#include <type_traits>

#include "sidecar/api/gate.hpp"
#include "sidecar/api/server.hpp"
#include "sidecar/http_listener.hpp"

namespace sidecar::api {

using plain_stream = boost::asio::ip::tcp::socket;
using tls_stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket>;

/// Lives as long as it waits for something. All on the server's thread.
template <class Stream>
class session final : public http_connection, public std::enable_shared_from_this<session<Stream>> {
  public:
    session(Stream stream, const gate& to, const server_limits& limits);

    void start();
    void finish() override;
    void close() override;

  private:
    using error_code = boost::system::error_code;
    using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    enum class state { beginning, idle, reading, working, answering, closing };

    boost::asio::ip::tcp::socket& socket() {
        if constexpr (std::is_same_v<Stream, tls_stream>)
            return stream_.next_layer();
        else
            return stream_;
    }
    void await_request();
    void read_head();
    void on_head(const error_code& error);
    void read_body(admitted&& what);
    void go_on_reading(std::shared_ptr<admitted> what);
    void refuse(const error_code& error);
    void work(admitted&& what);
    void reject(unsigned status, const std::string& why);
    void send(answer&& what, bool keep);
    void on_sent(const error_code& error);
    void part();
    void discard(std::size_t left);
    void within(std::chrono::milliseconds time);
    void on_time_over();

    Stream stream_;
    boost::asio::steady_timer timer_;
    const gate& gate_;
    const server_limits& limits_;
    std::string from_;

    state state_ = state::beginning;
    bool finishing_ = false;
    bool late_ = false;  // the request took too long
    bool head_only_ = false;
    bool keep_ = false;
    boost::beast::flat_buffer buffer_;
    std::optional<parser> parser_;
    boost::beast::http::response<boost::beast::http::string_body> response_;
    std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
    boost::beast::http::response<boost::beast::http::empty_body> go_on_;
    std::array<char, 1024> discarded_{};
};

extern template class session<plain_stream>;
extern template class session<tls_stream>;

}  // namespace sidecar::api
