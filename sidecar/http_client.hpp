#pragma once
// sidecar/http_client.hpp - one call over HTTP or HTTPS at a time, for what the sidecar tells or asks others: bounded
// in time and in size, and never led elsewhere by the answer.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/settings.hpp"

namespace sidecar {

struct http_request {
    std::string method = "GET";
    std::string url{};  // http:// or https://; a user and password in it become Basic authorization
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};  // sent if the method is not GET or HEAD
};

struct http_reply {
    unsigned status = 0;  // also of a redirect: none is followed
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool cut = false;  // the body was larger than the limit: only its beginning is here, which may be nothing

    /// The first header of this name, in whatever case.
    std::optional<std::string> header(std::string_view name) const;
};

/// There was no answer, or none that could be read. what() says why, in words of ours, with nothing of the url but
/// addresses that its host stands for.
class http_error : public std::runtime_error {
    using runtime_error::runtime_error;
};

/// One thread, but for stop(). Each call is a connection of its own. Uses no proxy.
class http_client {
  public:
    struct terms {
        std::chrono::milliseconds timeout{10'000};  // of a call, from looking up the name to the end of the answer
        conf::tls tls{};                            // for https; TLS 1.2 at least, and the host's name is checked
        std::size_t body_limit = 1024 * 1024;       // of an answer; its headers may have 16 KiB
        /// Asked for each address that the host's name stands for, "192.0.2.1" or "2001:db8::1": why it must not be
        /// called, or nothing. What is then connected to is the very address that was asked for.
        std::function<std::string(const std::string& ip)> refuse{};
    };

    /// Throws std::invalid_argument for certificates that can't be used.
    explicit http_client(terms settings);
    ~http_client();

    /// Sends the request and reads the answer, whatever its status. Throws http_error when there is none in time, also
    /// when the request has arrived; std::invalid_argument for an url or header that can't be sent.
    http_reply call(const http_request& what);

    /// Makes a call that is under way end at once, and all later ones fail. Any thread.
    void stop();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// The value of an Authorization header.
std::string basic_authorization(std::string_view user, std::string_view password);

}  // namespace sidecar
