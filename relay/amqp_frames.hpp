#pragma once
// relay/amqp_frames.hpp - messages gathered as AMQP frames, to be sent many at a time: rabbitmq-c makes three writes of
// each. Only for relay/amqp_*.cpp.

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#endif

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace relay::amqp {

/// One thread.
class frame_buffer {
  public:
    /// Larger bodies are not worth copying.
    static constexpr std::size_t largest_body = 16 * 1024;

    frame_buffer();

    bool empty() const { return used_ == 0; }
    /// To be sent before any more is appended.
    bool full() const { return used_ >= gathered; }

    /// Appends a message of at most largest_body bytes: its method, its header, its body (AMQP 0-9-1, section 2.3.5).
    /// False: the library can't encode it, and nothing was appended.
    bool append(amqp_channel_t channel, amqp_basic_publish_t method, amqp_basic_properties_t properties,
                std::string_view body);

    /// Writes all of it to the socket, and waits as long as the socket takes nothing. False, and errno says why: the
    /// connection is of no more use.
    bool send(int socket);

  private:
    static constexpr std::size_t gathered = 64 * 1024;

    template <class Encode>
    bool add(std::uint8_t type, amqp_channel_t channel, Encode&& encode);

    std::unique_ptr<char[]> bytes_;
    std::size_t used_ = 0;
};

}  // namespace relay::amqp
