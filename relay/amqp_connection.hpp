#pragma once
// relay/amqp_connection.hpp - one AMQP 0-9-1 connection with two channels: one publishes in confirm mode, the other
// asks and declares. Only relay/amqp_*.cpp know rabbitmq-c.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "conf/settings.hpp"
#include "conf/url.hpp"
#include "relay/outgoing.hpp"

struct amqp_connection_state_t_;  // of rabbitmq-c

namespace relay::amqp {

/// The connection could not be made, or is lost. The text is for operators; it holds no secret.
class connection_lost : public std::runtime_error {
    using runtime_error::runtime_error;
};

/// The broker closed the connection over one part of the topology.
class part_fatal : public connection_lost {
  public:
    part_fatal(std::string part, const std::string& why) : connection_lost(why), part_(std::move(part)) {}
    const std::string& part() const { return part_; }  // "queue 'orders'"

  private:
    std::string part_;
};

/// What the broker says by itself. Delivery tags are those of the publishing channel.
struct ack {
    std::uint64_t tag = 0;
    bool multiple = false;
};
struct nack {
    std::uint64_t tag = 0;
    bool multiple = false;
};
struct returned_message {
    std::string message_id;
    int code = 0;
    std::string text;
};
/// The publishing channel is closed: what was sent on it is lost, and its tags begin anew at 1.
struct channel_closed {
    int code = 0;
    std::string text;
};
struct blocked {
    std::string reason;
};
struct unblocked {};
using event = std::variant<ack, nack, returned_message, channel_closed, blocked, unblocked>;

/// The broker's "no" to a question or a declaration.
struct refusal {
    int code = 0;
    std::string text;
};

/// What the broker says of itself; empty where it says nothing.
struct broker_identity {
    std::string product;  // "RabbitMQ"
    std::string version;
    std::string cluster;
};

/// One thread, but for abort(). Where a function says so, connection_lost means that the object is of no more use.
class connection {
  public:
    /// Connects, logs in and opens the channels; takes at most about twice the connect timeout.
    /// Throws connection_lost.
    connection(const conf::url& where, const conf::broker& settings);
    ~connection();

    int socket() const;

    /// For relay/amqp_consumer.cpp, whose channel is another one, and for amqp_letters.cpp, which publishes as well.
    amqp_connection_state_t_* state() const;

    /// Publishes the message: with `mandatory`, as the channel's next tag. It may stay here until flush(). Blocks while
    /// the broker takes nothing, but see limit_stall(). Throws connection_lost; then this message was not sent whole.
    void publish(const outgoing& message);

    /// Sends what publish() has gathered. To be called before next(). Blocks and throws likewise.
    void flush();

    /// Closes the publishing channel, on which every message must have had its answer, and opens another one, whose
    /// tags begin at 1. Blocks for three round trips. Throws connection_lost.
    void renew_channel();

    /// The next thing that the broker said, if it said one. Never blocks, but to open the channel again.
    /// Has to be called every half heartbeat at least. Throws connection_lost.
    std::optional<event> next();

    /// Asks the broker. Blocks for a round trip. Throws connection_lost.
    bool exchange_exists(const std::string& name);

    /// Asks for an exchange or a queue without declaring it. Nullopt: it is there; whether in the wanted form, the
    /// broker does not say. Names of at most 255 bytes. Blocks for a round trip. Throws connection_lost.
    std::optional<refusal> ask_for_exchange(const std::string& name);
    std::optional<refusal> ask_for_queue(const std::string& name);

    broker_identity identity() const;

    /// Declares each part but those named in `without`; `complain` hears of each that the broker refuses.
    /// Throws connection_lost; part_fatal when it was closed over that part.
    void declare(const conf::topology& topology, const std::set<std::string>& without,
                 const std::function<void(const std::string&)>& complain);

    /// The connection is lost once the broker has taken nothing of what is to be sent for so long; 0: it is waited for.
    /// The library itself waits without end. At first it is broker.confirm_timeout.
    void limit_stall(std::chrono::milliseconds time);

    /// Says goodbye. Never throws.
    void close();

    static constexpr std::uint16_t publishing_channel = 1;
    static constexpr std::uint16_t first_free_channel = 3;

    struct impl;

  private:
    std::unique_ptr<impl> impl_;
};

}  // namespace relay::amqp
