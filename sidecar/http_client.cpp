#include "sidecar/http_client.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <mutex>

#include "conf/url.hpp"
#include "sidecar/base64.hpp"
#include "sidecar/host_lookup.hpp"
#include "sidecar/version.hpp"

namespace sidecar {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::uint32_t header_limit = 16 * 1024;

bool is_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

bool same_name(std::string_view one, std::string_view other) {
    return boost::beast::iequals({one.data(), one.size()}, {other.data(), other.size()});
}

bool is_address(const std::string& host) {
    error_code error;
    asio::ip::make_address(host, error);
    return !error;
}

// OpenSSL's own words for what went wrong are better than Asio's, where there are any.
std::string text_of(const error_code& error, SSL* ssl) {
    const auto verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (verdict != X509_V_OK)
        return fmt::format("its certificate is not to be trusted: {}", X509_verify_cert_error_string(verdict));
    return error.message();
}

// One step follows the other, all on the thread that runs `io`; whatever fails ends it.
class exchange {
  public:
    exchange(asio::io_context& io, std::vector<tcp::endpoint> to, http::request<http::string_body> request,
             std::size_t body_limit, steady_clock::time_point until)
        : socket_(io),
          attempt_(io),
          to_(std::move(to)),
          request_(std::move(request)),
          body_limit_(body_limit),
          until_(until) {}

    void speak_tls(asio::ssl::context& context, const std::string& host) {
        tls_.emplace(socket_, context);
        auto* ssl = tls_->native_handle();
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        auto name = host;  // as a macro of OpenSSL's drops its const
        const bool named = is_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1
                                            : SSL_set1_host(ssl, host.c_str()) == 1 &&
                                                  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                                           name.data()) == 1;
        if (!named) throw http_error("the host's name can't be checked");
    }

    void start() { connect(0); }

    std::string state = "no connection within its time";  // what to say when the time is over
    std::optional<std::string> fault;
    std::optional<http_reply> reply;

  private:
    // Each address gets its share of what time is left, so that one that drops all packets does not take all of it.
    void connect(std::size_t which) {
        const auto left =
            std::max<steady_clock::duration>(until_ - steady_clock::now(), steady_clock::duration::zero());
        attempt_.expires_after(left / static_cast<int>(to_.size() - which));
        if (which + 1 < to_.size())
            attempt_.async_wait([this, which](const error_code& error) {
                error_code ignored;
                if (!error && trying_ == which) socket_.close(ignored);
            });
        socket_.async_connect(to_[which], [this, which](const error_code& error) {
            ++trying_;
            attempt_.cancel();
            if (!error) return tls_ ? greet() : write(socket_);
            fault_so_far_ =
                fmt::format("{}: {}", to_[which].address().to_string(),
                            error == asio::error::operation_aborted ? "no connection in time" : error.message());
            error_code ignored;
            socket_.close(ignored);
            if (which + 1 == to_.size()) return fail(fault_so_far_);
            connect(which + 1);
        });
    }

    void greet() {
        state = "connected, but no TLS handshake within its time";
        tls_->async_handshake(asio::ssl::stream_base::client, [this](const error_code& error) {
            if (error) return fail("TLS: " + text_of(error, tls_->native_handle()));
            write(*tls_);
        });
    }

    template <class Stream>
    void write(Stream& stream) {
        state = "no answer within its time";
        http::async_write(stream, request_, [this, &stream](const error_code& error, std::size_t) {
            // Who refuses a request may answer before it has come whole.
            if (error) fault_so_far_ = error.message();
            read(stream);
        });
    }

    template <class Stream>
    void read(Stream& stream) {
        parser_.emplace();
        parser_->header_limit(header_limit);
        parser_->body_limit(body_limit_);
        http::async_read_header(stream, buffer_, *parser_, [this, &stream](const error_code& error, std::size_t) {
            if (error == http::error::body_limit) return finish(true);
            if (error) return fail(fault_so_far_.empty() ? error.message() : fault_so_far_);
            // Beast 1.74 goes on after it has found a length over the limit, if the body has come with the headers.
            if (parser_->content_length().value_or(0) > body_limit_) return finish(true);
            const auto status = parser_->get().result_int();
            if (status >= 100 && status < 200) return read(stream);  // there is more
            http::async_read(stream, buffer_, *parser_, [this](const error_code& why, std::size_t) {
                if (why && why != http::error::body_limit) return fail(why.message());
                finish(static_cast<bool>(why));
            });
        });
    }

    void finish(bool cut) {
        const auto& answer = parser_->get();
        auto& result = reply.emplace();
        result.status = answer.result_int();
        result.cut = cut;
        for (const auto& field : answer)
            result.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
        result.body = std::move(parser_->get().body());
    }

    void fail(std::string why) { fault = std::move(why); }

    tcp::socket socket_;
    asio::steady_timer attempt_;
    std::optional<asio::ssl::stream<tcp::socket&>> tls_;
    const std::vector<tcp::endpoint> to_;
    const http::request<http::string_body> request_;
    const std::size_t body_limit_;
    const steady_clock::time_point until_;
    std::size_t trying_ = 0;  // which of them
    std::string fault_so_far_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::response_parser<http::string_body>> parser_;
};

asio::ssl::context make_context(const conf::tls& settings) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    try {
        SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
        if (settings.ca_file.empty())
            context.set_default_verify_paths();
        else
            context.load_verify_file(settings.ca_file);
        if (!settings.cert_file.empty()) {
            context.use_certificate_chain_file(settings.cert_file);
            context.use_private_key_file(settings.key_file, asio::ssl::context::pem);
        }
        context.set_verify_mode(settings.verify ? asio::ssl::verify_peer : asio::ssl::verify_none);
    } catch (const boost::system::system_error& error) {
        throw std::invalid_argument(fmt::format("tls: the certificates can't be used: {}", error.what()));
    }
    return context;
}

http::request<http::string_body> compose(const http_request& what, const conf::url& url) {
    http::request<http::string_body> request;
    request.version(11);
    request.method_string(what.method);
    request.target(url.target);
    const auto host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
    const bool usual = url.port == (url.scheme == "https" ? 443 : 80);
    request.set(http::field::host, usual ? host : fmt::format("{}:{}", host, url.port));
    request.set(http::field::user_agent, fmt::format("outbox-sidecar/{}", version));
    request.set(http::field::connection, "close");
    if (!url.user.empty() || url.password)
        request.set(http::field::authorization, basic_authorization(url.user, url.password.value_or("")));
    for (const auto& [name, value] : what.headers) {
        if (name.empty() || !is_line(name) || name.find_first_of(": \t") != std::string::npos || !is_line(value))
            throw std::invalid_argument("a header has a character that can't be sent");
        request.set(name, value);
    }
    if (what.method != "GET" && what.method != "HEAD") {
        request.body() = what.body;
        request.prepare_payload();
    }
    return request;
}

}  // namespace

std::optional<std::string> http_reply::header(std::string_view name) const {
    for (const auto& [one, value] : headers)
        if (same_name(one, name)) return value;
    return std::nullopt;
}

struct http_client::impl {
    explicit impl(terms settings) : its(std::move(settings)), tls(make_context(its.tls)) {}

    std::vector<tcp::endpoint> allowed(const conf::url& url, steady_clock::time_point until) {
        auto found = lookup.find(url.host, url.port, until, [this] { return !stopped; });
        if (!its.refuse) return found;
        std::string why;
        std::erase_if(found, [&](const tcp::endpoint& one) {
            const auto reason = its.refuse(one.address().to_string());
            if (!reason.empty()) why = reason;
            return !reason.empty();
        });
        if (found.empty()) throw http_error(why);
        return found;
    }

    const terms its;
    asio::ssl::context tls;
    host_lookup lookup;
    std::atomic<bool> stopped{false};
    std::mutex mutex;
    asio::io_context* running = nullptr;  // guarded by mutex
};

http_client::http_client(terms settings) : impl_(std::make_unique<impl>(std::move(settings))) {}

http_client::~http_client() = default;

http_reply http_client::call(const http_request& what) {
    const auto until = steady_clock::now() + impl_->its.timeout;
    const auto url = conf::parse_url(what.url);
    if (url.scheme != "http" && url.scheme != "https")
        throw std::invalid_argument("the url is not one of http or https");
    auto request = compose(what, url);
    asio::io_context io;
    exchange one(io, impl_->allowed(url, until), std::move(request), impl_->its.body_limit, until);
    if (url.scheme == "https") one.speak_tls(impl_->tls, url.host);
    one.start();
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->running = &io;
    }
    if (!impl_->stopped) io.run_until(until);
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->running = nullptr;
    }
    if (one.reply) return std::move(*one.reply);
    if (impl_->stopped) throw http_error("stopped");
    throw http_error(one.fault ? *one.fault : one.state);
}

void http_client::stop() {
    impl_->stopped = true;
    const std::lock_guard lock(impl_->mutex);
    if (impl_->running) impl_->running->stop();
}

std::string basic_authorization(std::string_view user, std::string_view password) {
    return "Basic " + base64(fmt::format("{}:{}", user, password));
}

}  // namespace sidecar
