#include "relay/rabbitmq.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <sys/socket.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "conf/url.hpp"
#include "relay/amqp_connection.hpp"
#include "relay/backoff.hpp"
#include "relay/clock.hpp"
#include "relay/confirm_window.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;

// How long an exchange that was missing is taken to be so, without asking again.
constexpr auto missing_lasts = 1s;
// Names are remembered up to this number: they come from rows, which may hold anything.
constexpr std::size_t remembered_exchanges = 1'000;
// A nack is the word of a queue that takes nothing at present. But RabbitMQ 3.10 goes on with nacks for as long as a
// channel lives, if that met a quorum queue whose leader was just gone, although another node has led it since: as
// happens when one reconnects at once. So a channel that brings nacks is exchanged for another one from time to time.
// That has to be when nothing is on its way, for which sending pauses.
constexpr auto channel_with_nacks_lasts = 5s;
constexpr auto longest_pause = 1s;
// Heartbeats only run inside the library's calls.
constexpr auto longest_wait = 500ms;

class rabbitmq final : public publisher {
  public:
    rabbitmq(const conf::broker& settings, const conf::topology& topology, std::size_t window, random_source random,
             observer& watch)
        : settings_(settings),
          topology_(topology),
          draw_(std::move(random)),
          watch_(watch),
          max_body_(settings.max_message_size.count),
          backoff_(settings.reconnect_initial, settings.reconnect_max),
          window_(window) {
        for (const auto& text : settings.urls) urls_.push_back(conf::parse_url(text));
        if (urls_.empty()) throw std::invalid_argument("broker.urls is empty");
        // A fleet must not all go for the first one.
        for (std::size_t i = urls_.size() - 1; i > 0; --i)
            std::swap(urls_[i], urls_[static_cast<std::size_t>(draw_() * static_cast<double>(i + 1))]);
    }

    ~rabbitmq() override { forget_connection(); }

    link state() const override {
        if (!connection_) return link::down;
        return blocked_ ? link::blocked : link::up;
    }

    std::size_t room() const override { return state() == link::up && !pausing_ ? window_.room() : 0; }
    std::uint64_t max_body() const override { return max_body_; }
    std::size_t outstanding() const override { return window_.outstanding(); }

    void send(outgoing&& message, std::vector<attempt>& outcomes) override {
        try {
            if (!connection_) {
                outcomes.push_back({std::move(message.row), unknown{false}});
            } else if (!exists(message.row.exchange)) {
                std::string text = "NOT_FOUND - no exchange '" + message.row.exchange + "'";
                outcomes.push_back({std::move(message.row), no_exchange{404, std::move(text)}});
            } else {
                connection_->publish(message);
                window_.sent(std::move(message.row), message.message_id, clock_.now());
            }
        } catch (const amqp::connection_lost& error) {
            // A part of it may have gone out; the broker drops what is not whole.
            outcomes.push_back({std::move(message.row), unknown{false}});
            lose(error.what(), outcomes);
        }
    }

    void poll(std::chrono::milliseconds wait, std::vector<attempt>& outcomes) override {
        wait = std::min<std::chrono::milliseconds>(wait, longest_wait);
        if (!connection_) return reconnect(wait, outcomes);
        try {
            connection_->flush();
            const std::size_t before = outcomes.size();
            hear(outcomes);
            if (outcomes.size() == before && wait > 0ms && connection_) {
                wait_for_something(wait);
                hear(outcomes);
            }
            if (connection_ && nacked_ && !blocked_) renew_channel(outcomes);
            if (overdue()) lose("the broker has confirmed nothing for broker.confirm_timeout", outcomes);
        } catch (const amqp::connection_lost& error) {
            lose(error.what(), outcomes);
        }
    }

    void close(std::vector<attempt>& outcomes) override {
        if (connection_ && !aborted_) connection_->close();
        forget_connection();
        window_.lost(outcomes);
    }

    // One is enough for any number of rows: each that waits in the queue would end another poll() with nothing to do.
    void wake() override {
        if (!woken_.exchange(true)) boost::asio::post(io_, [this] { woken_ = false; });
    }

    void abort() override {
        const std::lock_guard lock(socket_mutex_);
        aborted_ = true;
        if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    }

  private:
    void reconnect(std::chrono::milliseconds wait, std::vector<attempt>& outcomes) {
        if (const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_try_ - clock_.now()); left > 0ms) {
            run_for(std::min(wait, left));
            return;
        }
        const auto& url = urls_[next_url_];
        const std::string where = url.scheme + "://" + url.host + ":" + std::to_string(url.port);
        try {
            connection_ = std::make_unique<amqp::connection>(url, settings_);
            remember_socket();
            if (url.scheme == "amqps" && !settings_.tls.verify)
                watch_.broker_warning("broker.tls.verify is off: anyone on the way can read and change messages");
            connection_->declare(topology_, left_out_, [&](const std::string& text) { watch_.broker_warning(text); });
            begin_channel();
            backoff_.reset();
            failures_in_round_ = 0;
            watch_.broker_up(where);
        } catch (const amqp::part_fatal& error) {
            leave_out_if_again(error);
            lose(where + ": " + error.what(), outcomes);
        } catch (const amqp::connection_lost& error) {
            lose(where + ": " + error.what(), outcomes);
        }
    }

    void renew_channel(std::vector<attempt>& outcomes) {
        const auto age = clock_.now() - channel_since_;
        pausing_ = age >= channel_with_nacks_lasts;
        if (!pausing_) return;
        if (window_.outstanding() == 0) {
            connection_->renew_channel();
            window_.lost(outcomes);  // none: it begins anew
        } else if (age < channel_with_nacks_lasts + longest_pause) {
            return;
        }
        begin_channel();
    }

    void begin_channel() {
        nacked_ = pausing_ = false;
        channel_since_ = clock_.now();
    }

    // Such as a feature that RabbitMQ 4 no longer permits. Once, it may be the broker's own trouble.
    void leave_out_if_again(const amqp::part_fatal& error) {
        if (std::exchange(fatal_part_, error.part()) != error.part()) return;
        left_out_.insert(error.part());
        watch_.broker_warning(std::string(error.what()) + "; it is left out of the topology until the next start");
    }

    // The time of a message runs from when it is the oldest: a slow broker that works its way through a long window is
    // no reason to send all of it again.
    bool overdue() {
        const auto now = clock_.now();
        if (std::exchange(oldest_tag_, window_.oldest_tag()) != window_.oldest_tag()) oldest_since_ = now;
        const auto oldest = window_.oldest();
        return oldest && !blocked_ &&
               now - std::max({*oldest, unblocked_at_, oldest_since_}) > settings_.confirm_timeout;
    }

    // The other addresses are tried at once; the pause comes when all have failed.
    void lose(const std::string& why, std::vector<attempt>& outcomes) {
        forget_connection();
        window_.lost(outcomes);
        next_url_ = (next_url_ + 1) % urls_.size();
        const bool round_over = ++failures_in_round_ >= urls_.size();
        if (round_over) failures_in_round_ = 0;
        const auto pause = round_over ? backoff_.next(draw_()) : 0ms;
        next_try_ = clock_.now() + pause;
        watch_.broker_down(why, pause);
    }

    void hear(std::vector<attempt>& outcomes) {
        while (const auto said = connection_->next()) std::visit([&](const auto& one) { take(one, outcomes); }, *said);
    }

    void take(const amqp::ack& said, std::vector<attempt>& outcomes) {
        if (!window_.acked(said.tag, said.multiple, outcomes)) distrust();
    }
    void take(const amqp::nack& said, std::vector<attempt>& outcomes) {
        if (!window_.nacked(said.tag, said.multiple, outcomes)) distrust();
        nacked_ = true;
    }
    void take(const amqp::returned_message& said, std::vector<attempt>&) {
        if (!window_.returned(said.message_id, said.code, said.text)) distrust();
    }
    void take(const amqp::channel_closed& said, std::vector<attempt>& outcomes) {
        exchanges_.clear();
        begin_channel();
        if (const auto limit = size_limit_named_in(said.text)) max_body_ = *limit;
        window_.channel_closed(said.code, said.text, outcomes);
        watch_.broker_warning("the broker closed the channel: " + std::to_string(said.code) + " " + said.text);
    }
    void take(const amqp::blocked& said, std::vector<attempt>&) {
        blocked_ = true;
        connection_->limit_stall(0ms);
        watch_.broker_blocked(said.reason);
    }
    void take(const amqp::unblocked&, std::vector<attempt>&) {
        blocked_ = false;
        unblocked_at_ = clock_.now();
        connection_->limit_stall(settings_.confirm_timeout);
        watch_.broker_unblocked();
    }

    [[noreturn]] static void distrust() {
        throw amqp::connection_lost("the broker speaks of a message that was never sent");
    }

    // Publishing to an exchange that is not there costs the channel, and with it the confirms of everything on its way.
    bool exists(const std::string& exchange) {
        if (exchange.empty()) return true;  // the default exchange always does
        const auto now = clock_.now();
        if (const auto known = exchanges_.find(exchange); known != exchanges_.end()) {
            if (!known->second) return true;
            if (now < *known->second) return false;
        }
        if (exchanges_.size() >= remembered_exchanges) exchanges_.clear();
        connection_->flush();  // or what is gathered would wait for the answer
        const bool there = connection_->exchange_exists(exchange);
        watch_.turned(loop::pump);
        exchanges_[exchange] = there ? std::nullopt : std::optional(clock_.now() + missing_lasts);
        return there;
    }

    void wait_for_something(std::chrono::milliseconds wait) {
        if (!std::exchange(watching_, true)) {
            descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                   [this](const boost::system::error_code&) { watching_ = false; });
        }
        run_for(wait);
    }

    void run_for(std::chrono::milliseconds wait) {
        io_.restart();
        io_.run_one_for(wait);
    }

    void remember_socket() {
        const std::lock_guard lock(socket_mutex_);
        socket_ = connection_->socket();
        descriptor_.assign(socket_);
        if (aborted_) ::shutdown(socket_, SHUT_RDWR);
    }

    void forget_connection() {
        {
            const std::lock_guard lock(socket_mutex_);
            socket_ = -1;
            if (descriptor_.is_open()) descriptor_.release();  // the library closes it
        }
        // The cancelled wait must have run before the next one begins.
        io_.restart();
        io_.poll();
        watching_ = blocked_ = false;
        exchanges_.clear();
        connection_.reset();
    }

    const conf::broker settings_;
    const conf::topology topology_;
    const random_source draw_;
    observer& watch_;
    const steady_clock clock_;
    std::vector<conf::url> urls_;

    std::uint64_t max_body_;  // 0: not known
    backoff backoff_;
    std::size_t next_url_ = 0;
    std::size_t failures_in_round_ = 0;
    time_point next_try_{};
    std::string fatal_part_;          // of the topology: over which the broker closed the connection last
    std::set<std::string> left_out_;  // parts that are not declared any more

    std::unique_ptr<amqp::connection> connection_;
    confirm_window window_;
    bool nacked_ = false;   // on this channel
    bool pausing_ = false;  // until nothing is on its way, for another channel
    time_point channel_since_{};
    bool blocked_ = false;
    time_point unblocked_at_{};
    std::uint64_t oldest_tag_ = 0;
    time_point oldest_since_{};
    std::unordered_map<std::string, std::optional<time_point>> exchanges_;  // nullopt: there; else missing until then

    boost::asio::io_context io_;
    // Without any work, as there is none while there is no connection, io_ would not wait at all.
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
    boost::asio::posix::stream_descriptor descriptor_{io_};
    bool watching_ = false;
    std::atomic<bool> woken_{false};  // and poll() has not heard of it yet

    std::mutex socket_mutex_;
    int socket_ = -1;  // guarded by socket_mutex_
    std::atomic<bool> aborted_{false};
};

}  // namespace

std::unique_ptr<publisher> make_rabbitmq(const conf::broker& settings, const conf::topology& topology,
                                         std::size_t window, random_source random, observer& watch) {
    return std::make_unique<rabbitmq>(settings, topology, window, std::move(random), watch);
}

}  // namespace relay
