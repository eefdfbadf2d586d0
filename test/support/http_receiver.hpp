#pragma once
// test/support/http_receiver.hpp - a server of the test's own, which notes what it is sent and answers as it is told.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/support/certificate.hpp"

namespace support {

struct http_received {
    std::string method;
    std::string target;
    std::map<std::string, std::string> fields;  // names in lower case
    std::string body;
    std::string server_name;  // that the client asked for with TLS
    bool with_certificate = false;
    std::chrono::steady_clock::time_point at{};
};

/// The bytes of an answer that ends with the connection.
std::string answer_of(int status, const std::string& body = {}, const std::string& more_headers = {});

/// Each connection takes one request. Any thread.
class http_receiver {
  public:
    /// The bytes of the answer; empty: none, and the connection stays open.
    using answering = std::function<std::string(const http_received&)>;

    /// On 127.0.0.1, or [::1]. With a certificate, it speaks TLS; `asks`: for the client's certificate, which may be
    /// anybody's.
    explicit http_receiver(answering answer, std::optional<certificate> with = std::nullopt, std::uint16_t port = 0,
                           const std::string& on = "127.0.0.1");
    ~http_receiver();

    std::uint16_t port() const;
    /// "http://127.0.0.1:port" with this path.
    std::string url(const std::string& path = "/") const;

    std::vector<http_received> received() const;
    /// How many connections were made, also such that sent nothing.
    std::size_t connections() const;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace support
