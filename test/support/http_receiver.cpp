#include "test/support/http_receiver.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <mutex>
#include <thread>

namespace support {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

std::string answer_of(int status, const std::string& body, const std::string& more_headers) {
    return "HTTP/1.1 " + std::to_string(status) + " As Told\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n" + more_headers + "\r\n" + body;
}

struct http_receiver::impl {
    impl(answering answer_in, std::optional<certificate> with, std::uint16_t port, const std::string& on)
        : answer(std::move(answer_in)), acceptor(io, {asio::ip::make_address(on), port}), encrypted(with.has_value()) {
        if (!with) return;
        tls.use_certificate_chain(asio::buffer(with->cert));
        tls.use_private_key(asio::buffer(with->key), asio::ssl::context::pem);
        tls.set_verify_mode(asio::ssl::verify_peer);
        tls.set_verify_callback([](bool, auto&) { return true; });
    }

    void accept() {
        for (;;) {
            boost::system::error_code error;
            tcp::socket socket(io);
            acceptor.accept(socket, error);
            const std::lock_guard lock(mutex);
            if (ending) return;
            if (error) continue;
            ++connected;
            open.push_back(socket.native_handle());
            serving.emplace_back([this, s = std::move(socket)]() mutable { serve(std::move(s)); });
        }
    }

    void serve(tcp::socket socket) {
        const auto handle = socket.native_handle();
        try {
            if (encrypted) {
                asio::ssl::stream<tcp::socket&> stream(socket, tls);
                stream.handshake(asio::ssl::stream_base::server);
                const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
                X509* peer = SSL_get1_peer_certificate(stream.native_handle());
                X509_free(peer);
                talk(stream, name ? name : "", peer != nullptr);
                boost::system::error_code ignored;
                stream.shutdown(ignored);
            } else {
                talk(socket, "", false);
            }
        } catch (const std::exception&) {
            // The client went away, or is to find that we did.
        }
        const std::lock_guard lock(mutex);
        std::erase(open, handle);
    }

    template <class Stream>
    void talk(Stream& stream, const std::string& server_name, bool with_certificate) {
        boost::beast::flat_buffer buffer;
        http::request_parser<http::string_body> parser;
        parser.body_limit(64 * 1024 * 1024);
        http::read(stream, buffer, parser);
        http_received one;
        one.method = std::string(parser.get().method_string());
        one.target = std::string(parser.get().target());
        for (const auto& field : parser.get()) {
            std::string name(field.name_string());
            std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
            one.fields[name] = std::string(field.value());
        }
        one.body = parser.get().body();
        one.server_name = server_name;
        one.with_certificate = with_certificate;
        one.at = std::chrono::steady_clock::now();
        {
            const std::lock_guard lock(mutex);
            all.push_back(one);
        }
        if (const auto bytes = answer(one); !bytes.empty())
            asio::write(stream, asio::buffer(bytes));
        else
            http::read(stream, buffer, parser.get());  // nothing more comes: until the other side closes
    }

    const answering answer;
    asio::io_context io;
    asio::ssl::context tls{asio::ssl::context::tls_server};
    tcp::acceptor acceptor;
    const bool encrypted;

    mutable std::mutex mutex;
    bool ending = false;
    std::size_t connected = 0;
    std::vector<http_received> all;
    std::vector<int> open;
    std::list<std::thread> serving;
    std::thread accepting{[this] { accept(); }};
};

http_receiver::http_receiver(answering answer, std::optional<certificate> with, std::uint16_t port,
                             const std::string& on)
    : impl_(std::make_unique<impl>(std::move(answer), std::move(with), port, on)) {}

http_receiver::~http_receiver() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->ending = true;
        for (const int one : impl_->open) ::shutdown(one, SHUT_RDWR);
    }
    ::shutdown(impl_->acceptor.native_handle(), SHUT_RDWR);
    impl_->accepting.join();
    for (auto& one : impl_->serving) one.join();
}

std::uint16_t http_receiver::port() const { return impl_->acceptor.local_endpoint().port(); }

std::string http_receiver::url(const std::string& path) const {
    return (impl_->encrypted ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port()) + path;
}

std::vector<http_received> http_receiver::received() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->all;
}

std::size_t http_receiver::connections() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->connected;
}

}  // namespace support
