#pragma once
// test/support/http.hpp - the test's own way to an HTTP server: bytes out, bytes in.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace support {

struct http_answer {
    int status = 0;
    std::map<std::string, std::string> fields;  // names in lower case
    std::string body;
};

/// One connection to 127.0.0.1. Throws std::runtime_error when there is nobody.
class raw_connection {
  public:
    explicit raw_connection(std::uint16_t port);
    ~raw_connection();
    raw_connection(const raw_connection&) = delete;
    raw_connection& operator=(const raw_connection&) = delete;

    /// False: the other side takes no more.
    bool send(std::string_view bytes);
    /// Everything until the other side closes, or nothing more comes for `quiet`.
    std::string rest(std::chrono::milliseconds quiet = std::chrono::seconds(20));
    /// The next answer, which has a Content-Length or no body. Throws when it breaks off.
    http_answer answer(bool to_head = false);
    /// The other side closes within this time, sending nothing.
    bool is_closed(std::chrono::milliseconds within);

  private:
    bool more(std::chrono::milliseconds within);

    int socket_;
    std::string read_;
};

/// GET on a connection of its own.
http_answer http_get(std::uint16_t port, const std::string& path);

/// Any other method likewise, to 127.0.0.1 by that name, with a body of JSON unless it is empty.
http_answer http_ask(std::uint16_t port, const std::string& method, const std::string& path,
                     const std::string& body = {});

}  // namespace support
