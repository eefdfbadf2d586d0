#include "relay/amqp_frames.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace relay::amqp {
namespace {

constexpr std::size_t before_payload = 7;  // type, channel, size
constexpr std::size_t largest_header = 128 * 1024;
constexpr std::size_t room_for_one = largest_header + 4 * 1024;  // and the method, and what is around each frame
constexpr auto frame_end = static_cast<char>(AMQP_FRAME_END);

template <class Number>
void put(char* at, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i)
        at[i] = static_cast<char>(number >> 8 * (sizeof number - 1 - i));  // the highest byte first
}

}  // namespace

frame_buffer::frame_buffer() : bytes_(std::make_unique_for_overwrite<char[]>(gathered + room_for_one + largest_body)) {}

template <class Encode>
bool frame_buffer::add(std::uint8_t type, amqp_channel_t channel, Encode&& encode) {
    char* const frame = bytes_.get() + used_;
    const int size = encode(frame + before_payload);
    if (size < 0) return false;
    put(frame, type);
    put(frame + 1, static_cast<std::uint16_t>(channel));
    put(frame + 3, static_cast<std::uint32_t>(size));
    frame[before_payload + static_cast<std::size_t>(size)] = frame_end;
    used_ += before_payload + static_cast<std::size_t>(size) + 1;
    return true;
}

bool frame_buffer::append(amqp_channel_t channel, amqp_basic_publish_t method, amqp_basic_properties_t properties,
                          std::string_view body) {
    const std::size_t before = used_;
    const auto encoded = [](int fixed, int status) { return status < 0 ? status : fixed + status; };
    const bool whole =
        add(AMQP_FRAME_METHOD, channel,
            [&](char* payload) {
                put(payload, std::uint32_t{AMQP_BASIC_PUBLISH_METHOD});
                return encoded(4, amqp_encode_method(AMQP_BASIC_PUBLISH_METHOD, &method, {1024, payload + 4}));
            }) &&
        add(AMQP_FRAME_HEADER, channel,
            [&](char* payload) {
                put(payload, std::uint16_t{AMQP_BASIC_CLASS});
                put(payload + 2, std::uint16_t{0});  // weight
                put(payload + 4, std::uint64_t{body.size()});
                return encoded(12,
                               amqp_encode_properties(AMQP_BASIC_CLASS, &properties, {largest_header, payload + 12}));
            }) &&
        (body.empty() || add(AMQP_FRAME_BODY, channel, [&](char* payload) {
             std::memcpy(payload, body.data(), body.size());
             return static_cast<int>(body.size());
         }));
    if (!whole) used_ = before;
    return whole;
}

bool frame_buffer::send(int socket) {
    std::size_t sent = 0;
    while (sent < used_) {
        const auto count = ::send(socket, bytes_.get() + sent, used_ - sent, MSG_NOSIGNAL);
        if (count >= 0) {
            sent += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            pollfd ready{socket, POLLOUT, 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    used_ = 0;
    return true;
}

}  // namespace relay::amqp
