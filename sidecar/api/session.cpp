#include "sidecar/api/session.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <limits>

namespace sidecar::api {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint64_t most_head = 16 * 1024;
// What is read after an answer that ends the connection, so that it is not lost by a reset.
constexpr std::size_t most_discarded = 64 * 1024;
constexpr auto parting_time = 1s;

// What every answer carries, unless its handler has said otherwise.
constexpr std::array<std::pair<const char*, const char*>, 6> usual_headers = {{
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

template <class Fields>
std::string field(const Fields& of, const char* name) {
    const auto value = of[name];
    return {value.data(), value.size()};
}

template <class Fields>
auto count(const Fields& of, http::field name) {
    const auto range = of.equal_range(name);
    return std::distance(range.first, range.second);
}

// Servers are also to take "http://host/path" (RFC 9112, 3.2.2).
std::string origin_form(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        const auto slash = target.find('/', scheme.size());
        return std::string(slash == target.npos ? "/" : target.substr(slash));
    }
    return std::string(target);
}

std::string address_of(const asio::ip::tcp::socket& socket) {
    error_code error;
    const auto end = socket.remote_endpoint(error);
    return error ? std::string() : end.address().to_string();
}

}  // namespace

template <class Stream>
session<Stream>::session(Stream stream, const gate& to, const server_limits& limits)
    : stream_(std::move(stream)),
      timer_(stream_.get_executor()),
      gate_(to),
      limits_(limits),
      from_(address_of(socket())),
      buffer_(2 * most_head) {}

template <class Stream>
void session<Stream>::start() {
    if constexpr (std::is_same_v<Stream, tls_stream>) {
        within(limits_.http.head);
        stream_.async_handshake(asio::ssl::stream_base::server,
                                [self = this->shared_from_this()](const error_code& error) {
                                    if (self->state_ == state::closing) return;
                                    error || self->finishing_ ? self->close() : self->read_head();
                                });
    } else {
        read_head();
    }
}

template <class Stream>
void session<Stream>::finish() {
    finishing_ = true;
    if (state_ == state::idle) return close();
    within(parting_time);
}

template <class Stream>
void session<Stream>::close() {
    state_ = state::closing;
    timer_.cancel();
    error_code ignored;
    socket().close(ignored);
}

template <class Stream>
void session<Stream>::await_request() {
    if (finishing_) return close();
    if (buffer_.size() > 0) return read_head();
    state_ = state::idle;
    within(limits_.http.idle);
    // Of TLS, something may have come that is not yet a request: so the head's time begins with its first bytes.
    stream_.async_read_some(buffer_.prepare(1024),
                            [self = this->shared_from_this()](const error_code& error, std::size_t size) {
                                if (self->state_ != state::idle) return;
                                if (error) return self->close();
                                self->buffer_.commit(size);
                                self->read_head();
                            });
}

template <class Stream>
void session<Stream>::read_head() {
    state_ = state::reading;
    parser_.emplace();
    parser_->header_limit(most_head);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // until it is known where it goes
    head_only_ = false;
    within(limits_.http.head);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = this->shared_from_this()](const error_code& error, std::size_t) { self->on_head(error); });
}

template <class Stream>
void session<Stream>::on_head(const error_code& error) {
    if (state_ != state::reading) return;
    timer_.cancel();
    if (error) return refuse(error);
    const auto& head = parser_->get();
    head_only_ = head.method() == http::verb::head;
    const auto hosts = count(head, http::field::host);
    if (hosts > 1 || (hosts == 0 && head.version() == 11)) return reject(400, "one Host is needed");
    if (head.find(http::field::transfer_encoding) != head.end() && !parser_->chunked())
        return reject(501, "no other Transfer-Encoding than chunked is understood");
    const bool has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;

    request_head asked;
    asked.method = std::string(head.method_string());
    asked.target = origin_form({head.target().data(), head.target().size()});
    asked.host = hosts == 0 ? "localhost" : field(head, "Host");
    asked.authorization = field(head, "Authorization");
    asked.cookie = field(head, "Cookie");
    asked.csrf_token = field(head, "X-CSRF-Token");
    asked.content_type = field(head, "Content-Type");
    asked.fetch_site = field(head, "Sec-Fetch-Site");
    asked.origin = field(head, "Origin");
    asked.if_none_match = field(head, "If-None-Match");
    asked.has_body = has_body;
    asked.from = from_;
    auto decided = gate_.admit(asked);
    // Whatever is refused with its body unread ends the connection: nobody is to take that for the next request.
    keep_ = head.keep_alive();
    if (auto* refusal = std::get_if<answer>(&decided)) return send(std::move(*refusal), keep_ && !has_body);
    auto& what = std::get<admitted>(decided);
    has_body ? read_body(std::move(what)) : work(std::move(what));
}

template <class Stream>
void session<Stream>::read_body(admitted&& what) {
    if (parser_->content_length().value_or(0) > what.body_limit)
        return reject(413, "the body is over " + std::to_string(what.body_limit) + " bytes");
    parser_->body_limit(what.body_limit);
    const auto kept = std::make_shared<admitted>(std::move(what));
    within(limits_.body);
    if (field(parser_->get(), "Expect") != "100-continue") return go_on_reading(kept);
    go_on_ = {};
    go_on_.version(11);
    go_on_.result(http::status::continue_);
    http::async_write(stream_, go_on_, [self = this->shared_from_this(), kept](const error_code& error, std::size_t) {
        if (self->state_ != state::reading) return;
        error ? self->close() : self->go_on_reading(kept);
    });
}

template <class Stream>
void session<Stream>::go_on_reading(std::shared_ptr<admitted> what) {
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this(), what](const error_code& error, std::size_t) {
                         if (self->state_ != state::reading) return;
                         self->timer_.cancel();
                         error ? self->refuse(error) : self->work(std::move(*what));
                     });
}

template <class Stream>
void session<Stream>::refuse(const error_code& error) {
    const bool began = parser_->got_some() || buffer_.size() > 0;
    if (late_ && began) return reject(408, "the request did not come to its end in time");
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        return reject(431, "the request's head is over 16 KiB");
    if (error == http::error::body_limit) return reject(413, "the body is too large");
    if (error == http::error::bad_version) return reject(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    const bool parting = error == http::error::end_of_stream || error == http::error::partial_message;
    if (!late_ && !parting && error.category() == make_error_code(http::error::bad_method).category())
        return reject(400, "this is no HTTP request");
    close();
}

// The guard keeps the server's thread there until the answer has come back to it. The session goes back with the
// answer, so that it never ends on another thread.
template <class Stream>
void session<Stream>::work(admitted&& what) {
    state_ = state::working;
    gate_.handle(std::move(what), std::move(parser_->get().body()),
                 [self = this->shared_from_this(),
                  guard = asio::make_work_guard(stream_.get_executor())](answer&& result) mutable {
                     asio::post(guard.get_executor(), [self = std::move(self), result = std::move(result)]() mutable {
                         if (self->state_ == state::working) self->send(std::move(result), self->keep_);
                     });
                 });
}

template <class Stream>
void session<Stream>::reject(unsigned status, const std::string& why) {
    send(answer_of(problem(status, why)), false);
}

template <class Stream>
void session<Stream>::send(answer&& what, bool keep) {
    state_ = state::answering;
    response_ = {};
    response_.version(11);
    response_.result(what.status);
    if (!what.content_type.empty()) response_.set(http::field::content_type, what.content_type);
    for (const auto& [name, value] : usual_headers) response_.set(name, value);
    for (const auto& [name, value] : what.headers) response_.set(name, value);
    response_.keep_alive(keep && !finishing_);
    response_.body() = std::move(what.body);
    if (what.status != 304) response_.prepare_payload();
    serializer_.emplace(response_);
    within(finishing_ ? parting_time : limits_.http.write);
    const auto sent = [self = this->shared_from_this()](const error_code& error, std::size_t) { self->on_sent(error); };
    if (head_only_)
        http::async_write_header(stream_, *serializer_, sent);
    else
        http::async_write(stream_, *serializer_, sent);
}

template <class Stream>
void session<Stream>::on_sent(const error_code& error) {
    if (state_ != state::answering) return;
    timer_.cancel();
    if (error) return close();
    response_.keep_alive() ? await_request() : part();
}

// Closing with something unread makes the other side forget the answer.
template <class Stream>
void session<Stream>::part() {
    within(parting_time);
    if constexpr (std::is_same_v<Stream, tls_stream>) {
        stream_.async_shutdown([self = this->shared_from_this()](const error_code&) { self->close(); });
    } else {
        error_code error;
        socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
        error ? close() : discard(most_discarded);
    }
}

template <class Stream>
void session<Stream>::discard(std::size_t left) {
    socket().async_read_some(asio::buffer(discarded_),
                             [self = this->shared_from_this(), left](const error_code& error, std::size_t size) {
                                 if (self->state_ == state::closing) return;
                                 error || size >= left ? self->close() : self->discard(left - size);
                             });
}

template <class Stream>
void session<Stream>::within(std::chrono::milliseconds time) {
    timer_.expires_after(time);
    timer_.async_wait([self = this->shared_from_this()](const error_code& error) {
        // One that was cancelled too late finds another time set.
        if (!error && self->timer_.expiry() <= std::chrono::steady_clock::now()) self->on_time_over();
    });
}

template <class Stream>
void session<Stream>::on_time_over() {
    if (state_ != state::reading || finishing_) return close();
    late_ = true;
    socket().cancel();
}

template class session<plain_stream>;
template class session<tls_stream>;

}  // namespace sidecar::api
