#include <atomic>
#include <charconv>
#include <stdexcept>
#include <thread>

#include "test/bench/amqp_link.hpp"
#include "test/bench/bare.hpp"
#include "test/support/waiting.hpp"

namespace bench {

struct bare_consumer::impl {
    impl(const std::string& queue, std::size_t most) : arrivals(most) {
        amqp_basic_consume(link.state(), amqp_link::channel, bytes_of(queue), amqp_empty_bytes, 0, 1, 0,
                           amqp_empty_table);
        link.check("basic.consume");
        thread = std::thread([this] { run(); });
    }

    ~impl() {
        stop = true;
        thread.join();
    }

    void run() {
        while (!stop) {
            amqp_maybe_release_buffers(link.state());
            amqp_envelope_t envelope{};
            const timeval patience{0, 100'000};
            const auto reply = amqp_consume_message(link.state(), &envelope, &patience, 0);
            if (reply.reply_type != AMQP_RESPONSE_NORMAL) continue;
            const auto now = std::chrono::steady_clock::now();
            const auto* body = static_cast<const char*>(envelope.message.body.bytes);
            std::size_t number = arrivals.size();
            if (envelope.message.body.len > 16) std::from_chars(body + 6, body + 16, number);  // see body_of()
            // One that comes again is of no interest: the first is what the consumer acts upon.
            if (number < arrivals.size() && arrivals[number] == time_point()) {
                arrivals[number] = now;
                ++received;
            }
            amqp_destroy_envelope(&envelope);
        }
    }

    amqp_link link;
    std::vector<time_point> arrivals;  // written by the thread; read once `received` says so
    std::atomic<std::size_t> received{0};
    std::atomic<bool> stop{false};
    std::thread thread;
};

bare_consumer::bare_consumer(const std::string& queue, std::size_t most) : impl_(std::make_unique<impl>(queue, most)) {}
bare_consumer::~bare_consumer() = default;

void bare_consumer::await(std::size_t count) const {
    if (!support::eventually([&] { return impl_->received >= count; }))
        throw std::runtime_error("messages did not arrive");
}

bare_consumer::time_point bare_consumer::arrival(std::size_t number) const { return impl_->arrivals.at(number); }

}  // namespace bench
