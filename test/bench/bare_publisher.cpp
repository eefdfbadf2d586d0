#include <fmt/format.h>

#include <stdexcept>
#include <thread>

#include "conf/settings.hpp"
#include "relay/amqp_frames.hpp"
#include "test/bench/amqp_link.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/producer.hpp"

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

// Between two looks at what the broker says: fewer are slower, more leave the broker idle in between.
constexpr std::size_t burst = 256;

class publisher {
  public:
    publisher(const std::string& queue, std::size_t messages, const message_shape& of)
        : queue_(queue), has_headers_(of.headers), answered_(messages + 1) {
        amqp_confirm_select(link_.state(), amqp_link::channel);
        link_.check("confirm.select");
        method_.routing_key = bytes_of(queue_);
        method_.mandatory = 1;
        properties_._flags = AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG |
                             AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
        properties_.content_type = bytes_of("application/json");
        properties_.app_id = bytes_of("outbox-sidecar");
        properties_.delivery_mode = AMQP_DELIVERY_PERSISTENT;
        properties_.timestamp = 1'700'000'000;
        if (!has_headers_) return;
        properties_._flags |= AMQP_BASIC_HEADERS_FLAG;
        for (auto& header : headers_) header.value.kind = AMQP_FIELD_KIND_UTF8;
        headers_[0].key = bytes_of("traceparent");
        headers_[0].value.value.bytes = bytes_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        headers_[1].key = bytes_of("tenant");
        headers_[1].value.value.bytes = bytes_of("acme");
        headers_[2].key = bytes_of("version");
        headers_[2].value.kind = AMQP_FIELD_KIND_I64;
        headers_[2].value.value.i64 = 3;
        properties_.headers = {3, headers_};
    }

    void publish(std::string_view id, std::string_view body) {
        properties_.message_id = bytes_of(id);
        if (frames_.full()) flush();
        if (!frames_.append(amqp_link::channel, method_, properties_, body)) fail();
    }

    void flush() {
        if (!frames_.send(amqp_get_sockfd(link_.state()))) fail();
    }

    /// How many are confirmed so far; waits for one more when told to.
    std::size_t confirmed(bool wait) {
        for (;;) {
            amqp_frame_t frame{};
            amqp_maybe_release_buffers(link_.state());
            const timeval at_once{0, 0}, patience{30, 0};
            const int status = amqp_simple_wait_frame_noblock(link_.state(), &frame, wait ? &patience : &at_once);
            if (status == AMQP_STATUS_TIMEOUT && !wait) return confirmed_;
            if (status != AMQP_STATUS_OK || frame.frame_type != AMQP_FRAME_METHOD ||
                frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
                throw std::runtime_error("the bare publisher gets no confirm");
            const auto& ack = *static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
            // A single ack may overtake others.
            for (auto tag = ack.multiple != 0 ? low_ + 1 : ack.delivery_tag; tag <= ack.delivery_tag; ++tag) {
                if (!answered_.at(tag)) ++confirmed_;
                answered_[tag] = true;
            }
            if (ack.multiple != 0) low_ = ack.delivery_tag;
            wait = false;
        }
    }

  private:
    [[noreturn]] static void fail() { throw std::runtime_error("the bare publisher can't publish"); }

    amqp_link link_;
    relay::amqp::frame_buffer frames_;  // a write for each frame, as the library does it, is slower
    amqp_basic_publish_t method_{};
    const std::string queue_;
    const bool has_headers_;
    amqp_basic_properties_t properties_{};
    amqp_table_entry_t headers_[3]{};
    std::vector<bool> answered_;  // by tag
    std::uint64_t low_ = 0;       // no tag up to it is open
    std::size_t confirmed_ = 0;
};

// As long as a UUID.
std::string id_of(std::size_t number) { return fmt::format("00000000-0000-4000-8000-{:012}", number); }

}  // namespace

double bare_publisher_rate(const std::string& queue, std::size_t messages, const message_shape& of,
                           std::atomic<std::size_t>* so_far) {
    publisher link(queue, messages, of);
    const std::size_t window = conf::relay{}.window;
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < messages; ++i) ids.push_back(id_of(i));
    const std::string body = body_of(0, of.body);

    std::size_t sent = 0, confirmed = 0, first = 0;
    clock::time_point began;
    while (confirmed < messages) {
        for (std::size_t i = 0; i < burst && sent < messages && sent - confirmed < window; ++i)
            link.publish(ids[sent++], body);
        link.flush();
        confirmed = link.confirmed(sent == messages || sent - confirmed >= window);
        if (so_far != nullptr) *so_far = confirmed;
        if (first == 0 && confirmed > 0) {
            first = confirmed;
            began = clock::now();
        }
    }
    return static_cast<double>(messages - first) / std::chrono::duration<double>(clock::now() - began).count();
}

std::vector<bare_consumer::time_point> publish_bare_paced(const std::string& queue, int per_second, std::size_t count) {
    publisher link(queue, count, {});
    const auto when = random_times(count, per_second);
    std::vector<bare_consumer::time_point> times;
    const auto began = clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        std::this_thread::sleep_until(began + when[i]);
        const auto id = id_of(i), body = body_of(i, 256);
        times.push_back(clock::now());
        link.publish(id, body);
        link.flush();
        link.confirmed(false);
    }
    return times;
}

}  // namespace bench
