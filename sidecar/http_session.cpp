#include "sidecar/http_session.hpp"

#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <limits>

namespace sidecar {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::uint32_t most_head = 8 * 1024;
// What is read after an answer that ends the connection, so that it is not lost by a reset.
constexpr std::size_t most_discarded = 64 * 1024;
constexpr auto parting_time = 1s;

// Servers are also to take "http://host/path" (RFC 9112, 3.2.2).
std::string_view path_of(std::string_view target) {
    if (constexpr std::string_view scheme = "http://"; target.starts_with(scheme)) {
        const auto slash = target.find('/', scheme.size());
        target = slash == target.npos ? "/" : target.substr(slash);
    }
    return target.substr(0, target.find('?'));
}

bool has_body(const http::request_parser<http::buffer_body>& parser) {
    return parser.chunked() || parser.content_length().value_or(0) > 0;
}

}  // namespace

http_session::http_session(asio::ip::tcp::socket socket, const http_routes& routes, const http_limits& limits)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      routes_(routes),
      limits_(limits),
      buffer_(2 * most_head) {}

void http_session::finish() {
    finishing_ = true;
    if (state_ == state::idle) return close();
    within(parting_time);
}

void http_session::close() {
    state_ = state::closing;
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

void http_session::await_request() {
    if (finishing_) return close();
    if (buffer_.size() > 0) return read_head();
    state_ = state::idle;
    within(limits_.idle);
    socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
        if (self->state_ != state::idle) return;
        error ? self->close() : self->read_head();
    });
}

void http_session::read_head() {
    state_ = state::reading;
    parser_.emplace();
    parser_->header_limit(most_head);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // its length is looked at; it is never read
    within(limits_.head);
    http::async_read_header(
        socket_, buffer_, *parser_,
        [self = shared_from_this()](const error_code& error, std::size_t) { self->on_head(error); });
}

void http_session::on_head(const error_code& error) {
    if (state_ != state::reading) return;
    timer_.cancel();
    error ? refuse(error) : answer();
}

void http_session::refuse(const error_code& error) {
    const bool began = parser_->got_some() || buffer_.size() > 0;
    if (late_ && began) return reject(408, "the request did not come to its end in time");
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        return reject(431, "the request's head is over 8 KiB");
    if (error == http::error::bad_version) return reject(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    const bool parting = error == http::error::end_of_stream || error == http::error::partial_message;
    if (!late_ && !parting && error.category() == make_error_code(http::error::bad_method).category())
        return reject(400, "this is no HTTP request");
    close();
}

void http_session::answer() {
    const auto& request = parser_->get();
    const bool head_only = request.method() == http::verb::head;
    const auto hosts = request.equal_range(http::field::host);
    const auto count = std::distance(hosts.first, hosts.second);
    if (count > 1 || (count == 0 && request.version() == 11)) return reject(400, "one Host is needed", head_only);
    const bool keep = request.keep_alive() && !has_body(*parser_);
    if (!head_only && request.method() != http::verb::get)
        return send({.status = 405, .body = "only GET and HEAD are answered\n"}, keep, false);
    if (has_body(*parser_)) return reject(413, "a request with a body is not answered", head_only);
    const auto target = request.target();
    send(routes_.get(path_of({target.data(), target.size()})), keep, head_only);
}

void http_session::reject(unsigned status, std::string_view why, bool head_only) {
    send({.status = status, .body = std::string(why) + "\n"}, false, head_only);
}

void http_session::send(http_answer&& what, bool keep, bool head_only) {
    state_ = state::answering;
    response_ = {};
    response_.version(11);
    response_.result(what.status);
    response_.set(http::field::content_type, what.content_type);
    response_.set(http::field::cache_control, "no-store");
    if (what.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.keep_alive(keep && !finishing_);
    response_.body() = std::move(what.body);
    response_.prepare_payload();
    serializer_.emplace(response_);
    within(finishing_ ? parting_time : limits_.write);
    const auto sent = [self = shared_from_this()](const error_code& error, std::size_t) { self->on_sent(error); };
    if (head_only)
        http::async_write_header(socket_, *serializer_, sent);
    else
        http::async_write(socket_, *serializer_, sent);
}

void http_session::on_sent(const error_code& error) {
    if (state_ != state::answering) return;
    timer_.cancel();
    if (error) return close();
    response_.keep_alive() ? await_request() : part();
}

// Closing with something unread makes the other side forget the answer.
void http_session::part() {
    error_code error;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
    if (error) return close();
    within(parting_time);
    discard(most_discarded);
}

void http_session::discard(std::size_t left) {
    socket_.async_read_some(asio::buffer(discarded_),
                            [self = shared_from_this(), left](const error_code& error, std::size_t size) {
                                if (self->state_ == state::closing) return;
                                error || size >= left ? self->close() : self->discard(left - size);
                            });
}

void http_session::within(std::chrono::milliseconds time) {
    timer_.expires_after(time);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
        // One that was cancelled too late finds another time set.
        if (!error && self->timer_.expiry() <= std::chrono::steady_clock::now()) self->on_time_over();
    });
}

void http_session::on_time_over() {
    if (state_ != state::reading || finishing_) return close();
    late_ = true;
    socket_.cancel();
}

}  // namespace sidecar
