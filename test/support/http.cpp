#include "test/support/http.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace support {

using namespace std::chrono_literals;

raw_connection::raw_connection(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return;
    close(socket_);
    throw std::runtime_error("nobody listens on port " + std::to_string(port));
}

raw_connection::~raw_connection() { close(socket_); }

bool raw_connection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool raw_connection::more(std::chrono::milliseconds within) {
    pollfd wait{socket_, POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(within.count())) <= 0) throw std::runtime_error("the server says nothing");
    char buffer[4096];
    const auto size = recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    read_.append(buffer, static_cast<std::size_t>(size));
    return true;
}

std::string raw_connection::rest(std::chrono::milliseconds quiet) {
    try {
        while (more(quiet)) {
        }
    } catch (const std::runtime_error&) {
    }
    return std::move(read_);
}

http_answer raw_connection::answer(bool to_head) {
    const auto until = [&](auto&& enough) {
        while (!enough()) {
            if (!more(20s)) throw std::runtime_error("the answer breaks off: " + read_);
        }
    };
    until([&] { return read_.find("\r\n\r\n") != std::string::npos; });
    const auto end = read_.find("\r\n\r\n");
    std::istringstream head(read_.substr(0, end));
    read_.erase(0, end + 4);

    http_answer result;
    std::string line, http;
    std::getline(head, line);
    std::istringstream(line) >> http >> result.status;
    while (std::getline(head, line)) {
        const auto colon = line.find(':');
        std::string name = line.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
        const auto begin = line.find_first_not_of(' ', colon + 1);
        result.fields[name] = line.substr(begin, line.find_last_not_of('\r') + 1 - begin);
    }
    const auto length = result.fields.count("content-length") ? std::stoul(result.fields["content-length"]) : 0;
    if (to_head) return result;
    until([&] { return read_.size() >= length; });
    result.body = read_.substr(0, length);
    read_.erase(0, length);
    return result;
}

bool raw_connection::is_closed(std::chrono::milliseconds within) {
    try {
        return !more(within);
    } catch (const std::runtime_error&) {
        return false;
    }
}

http_answer http_get(std::uint16_t port, const std::string& path) {
    raw_connection one(port);
    one.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return one.answer();
}

http_answer http_ask(std::uint16_t port, const std::string& method, const std::string& path, const std::string& body) {
    raw_connection one(port);
    one.send(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" +
             "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return one.answer();
}

}  // namespace support
