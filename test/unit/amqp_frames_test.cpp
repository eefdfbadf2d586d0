#include "relay/amqp_frames.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace {

using relay::amqp::frame_buffer;
using namespace std::string_literals;

struct pair_of_sockets {
    pair_of_sockets() {
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);  // as the library's is
    }
    ~pair_of_sockets() {
        close(ends[0]);
        if (ends[1] >= 0) close(ends[1]);
    }

    std::string read(std::size_t size) const {
        std::string text(size, '\0');
        REQUIRE(recv(ends[1], text.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size));
        return text;
    }

    int ends[2] = {-1, -1};
};

amqp_bytes_t bytes(const char* text) { return amqp_cstring_bytes(text); }

bool append(frame_buffer& to, std::string_view body) {
    amqp_basic_publish_t method{};
    method.exchange = bytes("ex");
    method.routing_key = bytes("key");
    method.mandatory = 1;
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = 2;
    return to.append(1, method, properties, body);
}

// AMQP 0-9-1, sections 2.3.5 and 4.2: type, channel, size, payload, end.
const std::string method_frame = "\1\0\1\0\0\0\016\0\74\0\50\0\0\2ex\3key\1\xce"s;
std::string header_frame(char body_size) {
    return "\2\0\1\0\0\0\017\0\74\0\0\0\0\0\0\0\0\0"s + body_size + "\x10\0\2\xce"s;
}

}  // namespace

TEST_SUITE("amqp frames") {
    TEST_CASE("a message is a method, a header and a body") {
        const pair_of_sockets sockets;
        frame_buffer frames;
        REQUIRE(append(frames, "hello"));
        REQUIRE(frames.send(sockets.ends[0]));
        const std::string expected = method_frame + header_frame(5) + "\3\0\1\0\0\0\5hello\xce"s;
        CHECK(sockets.read(expected.size()) == expected);
        CHECK(frames.empty());
    }

    TEST_CASE("an empty body has no frame") {
        const pair_of_sockets sockets;
        frame_buffer frames;
        REQUIRE(append(frames, ""));
        REQUIRE(append(frames, ""));
        REQUIRE(frames.send(sockets.ends[0]));
        const std::string expected = method_frame + header_frame(0);
        CHECK(sockets.read(2 * expected.size()) == expected + expected);
    }

    TEST_CASE("what can't be encoded leaves nothing behind") {
        frame_buffer frames;
        amqp_basic_properties_t properties{};
        properties._flags = AMQP_BASIC_TYPE_FLAG;
        const std::string too_long(256, 'x');
        properties.type = {too_long.size(), const_cast<char*>(too_long.data())};
        CHECK_FALSE(frames.append(1, {}, properties, "body"));
        CHECK(frames.empty());
    }

    TEST_CASE("a socket that takes only a part is waited for") {
        const pair_of_sockets sockets;
        frame_buffer frames;
        std::size_t size = 0;
        const std::string body(frame_buffer::largest_body, 'x');
        while (!frames.full()) {
            REQUIRE(append(frames, body));
            size += method_frame.size() + header_frame(0).size() + 8 + body.size();
        }
        const int small = 4096;
        setsockopt(sockets.ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        std::string got;
        std::thread reader([&] { got = sockets.read(size); });
        CHECK(frames.send(sockets.ends[0]));
        reader.join();
        CHECK(got.substr(0, method_frame.size()) == method_frame);
        CHECK(got.ends_with("x\xce"));
    }

    TEST_CASE("a socket whose peer has gone says so") {
        pair_of_sockets sockets;
        close(sockets.ends[1]);
        sockets.ends[1] = -1;
        frame_buffer frames;
        REQUIRE(append(frames, "hello"));
        CHECK_FALSE(frames.send(sockets.ends[0]));
    }
}
