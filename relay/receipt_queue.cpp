#include "relay/receipt_queue.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "conf/url.hpp"
#include "relay/amqp_connection.hpp"
#include "relay/amqp_consumer.hpp"
#include "relay/backoff.hpp"
#include "relay/bell.hpp"
#include "relay/clock.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::uint16_t prefetch = 1'000;  // one batch on its way to the database, the next to us
constexpr std::size_t longest_id = 255 * 4;
constexpr auto linger = 20ms;         // for more to come after the first of a batch
constexpr auto longest_wait = 250ms;  // a stop may have to wait for it; heartbeats want half of theirs

std::string id_of(amqp::handed_out&& message) {
    if (message.size > longest_id) return {};
    return std::move(message.size > 0 ? message.body : message.message_id);
}

conf::queue declaration_of(const std::string& name, const conf::topology& topology) {
    for (const auto& one : topology.queues)
        if (one.name == name) return one;
    conf::queue durable;
    durable.name = name;
    return durable;
}

}  // namespace

struct receipt_queue::impl {
    impl(const std::string& queue, const conf::broker& s, const conf::topology& topology, random_source d, observer& w)
        : name(queue), settings(s), draw(std::move(d)), watch(w), pauses(s.reconnect_initial, s.reconnect_max) {
        declaration.queues.push_back(declaration_of(queue, topology));
        for (const auto& text : s.urls) urls.push_back(conf::parse_url(text));
        if (urls.empty()) throw std::invalid_argument("broker.urls is empty");
        next_url = static_cast<std::size_t>(draw() * static_cast<double>(urls.size()));
    }
    ~impl() { forget_connection(); }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    /// Receives until `enough` says so, or for so long.
    template <class Enough>
    void receive(milliseconds wait, Enough&& enough) {
        const auto until = clock.now() + wait;
        while (!leaving && !enough()) {
            const auto left = std::chrono::ceil<milliseconds>(until - clock.now());
            if (left <= 0ms) return;
            try {
                if (!consumer)
                    reconnect(left);
                else if (auto message = consumer->next(std::min<milliseconds>(left, longest_wait)))
                    waiting.push_back(std::move(*message));
            } catch (const amqp::connection_lost& error) {
                lose(error.what());
            }
        }
    }

    void reconnect(milliseconds wait) {
        if (const auto left = std::chrono::ceil<milliseconds>(next_try - clock.now()); left > 0ms)
            return woken.wait(std::min(wait, left));
        const auto& url = urls[next_url % urls.size()];
        const auto where = url.scheme + "://" + url.host + ":" + std::to_string(url.port);
        try {
            connection = std::make_unique<amqp::connection>(url, settings);
            remember_socket();
            declare();
            consumer = std::make_unique<amqp::consumer>(*connection, name, prefetch, longest_id);
            pauses.reset();
            watch.receipts_up(where);
        } catch (const amqp::connection_lost& error) {
            throw amqp::connection_lost(where + ": " + error.what());
        }
    }

    // What is there in another form serves as well.
    void declare() {
        constexpr int not_found = 404;
        const auto refused = connection->ask_for_queue(name);
        if (!refused || refused->code != not_found) return;
        connection->declare(declaration, {}, [](const std::string& text) { throw amqp::connection_lost(text); });
    }

    void lose(const std::string& why) {
        forget_connection();
        ++next_url;
        const auto pause = pauses.next(draw());
        next_try = clock.now() + pause;
        if (!leaving) watch.receipts_down(why, pause);
    }

    void remember_socket() {
        const std::lock_guard lock(mutex);
        socket = connection->socket();
        if (aborted) ::shutdown(socket, SHUT_RDWR);
    }

    // Nothing that was handed out can be acknowledged any more: all of it comes again.
    void forget_connection() {
        {
            const std::lock_guard lock(mutex);
            socket = -1;
        }
        consumer.reset();
        connection.reset();
        waiting.clear();
        taken.reset();
        caught_up = false;
    }

    const std::string name;
    const conf::broker settings;
    const random_source draw;
    observer& watch;
    const steady_clock clock;
    conf::topology declaration;
    std::vector<conf::url> urls;

    std::size_t next_url = 0;
    backoff pauses;
    time_point next_try{};

    std::unique_ptr<amqp::connection> connection;
    std::unique_ptr<amqp::consumer> consumer;
    std::deque<amqp::handed_out> waiting;  // at most `prefetch`
    std::optional<std::uint64_t> taken;    // the last one that was, and is not acknowledged

    bell woken;
    std::mutex mutex;
    int socket = -1;  // guarded by mutex
    std::atomic<bool> aborted{false};
    std::atomic<bool> leaving{false};
    std::atomic<bool> caught_up{false};
};

receipt_queue::receipt_queue(const std::string& queue, const conf::broker& settings, const conf::topology& topology,
                             random_source draw, observer& watch)
    : impl_(std::make_unique<impl>(queue, settings, topology, std::move(draw), watch)) {}

receipt_queue::~receipt_queue() = default;

std::vector<std::string> receipt_queue::take(std::size_t limit, milliseconds wait) {
    auto& waiting = impl_->waiting;
    impl_->receive(wait, [&] { return !waiting.empty(); });
    if (!waiting.empty()) impl_->receive(linger, [&] { return waiting.size() >= limit || waiting.empty(); });
    std::vector<std::string> ids;
    while (!waiting.empty() && ids.size() < limit) {
        impl_->taken = waiting.front().tag;
        ids.push_back(id_of(std::move(waiting.front())));
        waiting.pop_front();
    }
    impl_->caught_up = impl_->consumer && ids.size() < limit;
    return ids;
}

void receipt_queue::acknowledge() {
    if (!impl_->taken) return;
    try {
        impl_->consumer->acknowledge_up_to(*std::exchange(impl_->taken, std::nullopt));
    } catch (const amqp::connection_lost& error) {
        impl_->lose(error.what());
    }
}

void receipt_queue::rest(milliseconds time) {
    impl_->receive(time, [] { return false; });
}

bool receipt_queue::caught_up() const { return impl_->caught_up; }

void receipt_queue::close() {
    if (impl_->connection && !impl_->aborted) impl_->connection->close();
    impl_->forget_connection();
}

void receipt_queue::leave() {
    impl_->leaving = true;
    impl_->woken.ring();
}

void receipt_queue::abort() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->aborted = true;
        if (impl_->socket >= 0) ::shutdown(impl_->socket, SHUT_RDWR);
    }
    leave();
}

}  // namespace relay
