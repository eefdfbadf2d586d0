#include "relay/amqp_consumer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "relay/amqp_frames.hpp"
#include "relay/amqp_table.hpp"

namespace relay::amqp {
namespace {

constexpr amqp_channel_t consuming = connection::first_free_channel;

[[noreturn]] void lose(const char* what, const std::string& why) {
    throw connection_lost(fmt::format("{}: {}", what, why));
}

void require(int status, const char* what) {
    if (status < 0) lose(what, amqp_error_string2(status));
}

[[noreturn]] void closed_over(const amqp_channel_close_t& said, const char* what) {
    lose(what, fmt::format("{} {}", said.reply_code, text_of(said.reply_text)));
}

[[noreturn]] void closed_altogether(const amqp_connection_close_t& said) {
    lose("the broker closed the connection", fmt::format("{} {}", said.reply_code, text_of(said.reply_text)));
}

}  // namespace

struct consumer::impl {
    amqp_connection_state_t state;
    std::size_t body_bytes;

    // A message comes in frames: the method, a header, and bodies until it is whole.
    std::optional<handed_out> coming;
    std::uint64_t body_left = 0;

    void must(const char* what) {
        const auto reply = amqp_get_rpc_reply(state);
        switch (reply.reply_type) {
            case AMQP_RESPONSE_NORMAL: return;
            case AMQP_RESPONSE_NONE: lose(what, "no reply");
            case AMQP_RESPONSE_LIBRARY_EXCEPTION: lose(what, amqp_error_string2(reply.library_error));
            case AMQP_RESPONSE_SERVER_EXCEPTION: break;
        }
        if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
            closed_altogether(*static_cast<amqp_connection_close_t*>(reply.reply.decoded));
        if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
            closed_over(*static_cast<amqp_channel_close_t*>(reply.reply.decoded), what);
        lose(what, fmt::format("unexpected reply {:#x}", reply.reply.id));
    }

    /// True: `coming` is whole.
    bool read(const amqp_frame_t& frame) {
        if (frame.frame_type == AMQP_FRAME_METHOD) {
            read_method(frame.channel, frame.payload.method);
            return false;
        }
        if (!coming || frame.channel != consuming) return false;
        if (frame.frame_type == AMQP_FRAME_HEADER) {
            const auto* properties = static_cast<amqp_basic_properties_t*>(frame.payload.properties.decoded);
            if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0)
                coming->message_id = text_of(properties->message_id);
            coming->size = body_left = frame.payload.properties.body_size;
        } else if (frame.frame_type == AMQP_FRAME_BODY) {
            const auto part = text_of(frame.payload.body_fragment);
            coming->body += part.substr(0, body_bytes - std::min(body_bytes, coming->body.size()));
            body_left -= std::min<std::uint64_t>(body_left, part.size());
        }
        return body_left == 0;
    }

    void read_method(amqp_channel_t channel, const amqp_method_t& method) {
        switch (method.id) {
            case AMQP_BASIC_DELIVER_METHOD:
                coming.emplace().tag = static_cast<amqp_basic_deliver_t*>(method.decoded)->delivery_tag;
                body_left = 1;  // until the header says how long it is
                return;
            case AMQP_BASIC_CANCEL_METHOD: lose("the broker ended the consumer", "the queue was deleted or moved");
            case AMQP_CHANNEL_CLOSE_METHOD:
                if (channel == consuming)
                    closed_over(*static_cast<amqp_channel_close_t*>(method.decoded), "the broker closed the channel");
                return;
            case AMQP_CONNECTION_CLOSE_METHOD: {
                amqp_connection_close_ok_t ok{};
                amqp_send_method(state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
                closed_altogether(*static_cast<amqp_connection_close_t*>(method.decoded));
            }
            default: return;
        }
    }
};

consumer::consumer(connection& on, const std::string& queue, std::uint16_t prefetch, std::size_t body_bytes)
    : impl_(std::make_unique<impl>(impl{on.state(), body_bytes, {}, 0})) {
    amqp_channel_open(impl_->state, consuming);
    impl_->must("can't open a channel");
    amqp_basic_qos(impl_->state, consuming, 0, prefetch, 0);
    impl_->must("can't limit what is handed out");
    amqp_basic_consume(impl_->state, consuming, bytes_of(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    impl_->must("can't consume");
}

consumer::~consumer() = default;

std::optional<handed_out> consumer::next(std::chrono::milliseconds wait) {
    const auto until = std::chrono::steady_clock::now() + wait;
    for (;;) {
        amqp_maybe_release_buffers(impl_->state);
        amqp_frame_t frame{};
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
            std::max(until - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero()));
        const timeval time{static_cast<time_t>(left.count() / 1'000'000),
                           static_cast<suseconds_t>(left.count() % 1'000'000)};
        const int status = amqp_simple_wait_frame_noblock(impl_->state, &frame, &time);
        if (status == AMQP_STATUS_TIMEOUT) return std::nullopt;
        require(status, "connection lost");
        if (impl_->read(frame)) {
            auto whole = std::move(impl_->coming);
            impl_->coming.reset();
            return whole;
        }
    }
}

void consumer::acknowledge_up_to(std::uint64_t tag) {
    constexpr amqp_boolean_t and_all_before = 1;
    require(amqp_basic_ack(impl_->state, consuming, tag, and_all_before), "can't acknowledge");
}

}  // namespace relay::amqp
