#pragma once
// relay/amqp_letters.hpp - dead-letter queues on one AMQP connection of their own: messages are fetched one by one and
// stay the broker's until they are acked; copies go out with publisher confirms. A copy keeps what came, to the bit,
// but for what the caller changes among its headers, and for user_id, which only the user it names may send.

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conf/settings.hpp"
#include "conf/url.hpp"
#include "relay/amqp_connection.hpp"
#include "relay/outcome.hpp"

namespace relay::amqp {

/// A message that was fetched and not acked yet. Movable.
class letter {
  public:
    struct native;
    explicit letter(std::unique_ptr<native> message);
    letter(letter&&) noexcept;
    letter& operator=(letter&&) noexcept;
    ~letter();

    const nlohmann::json& headers() const;  // an object; strings may hold any bytes
    std::string_view body() const;
    bool redelivered() const;  // it was fetched before
    std::optional<std::string> message_id() const;
    std::optional<std::uint64_t> timestamp() const;  // seconds since the epoch
    /// The other properties by the names of relay/properties.hpp, as far as the message has them.
    nlohmann::json properties() const;

  private:
    friend class letter_box;
    std::unique_ptr<native> native_;
};

/// Where a copy goes, and what is other about its headers.
struct copy {
    const letter* of = nullptr;
    std::string exchange;  // of at most 255 bytes each
    std::string routing_key;
    std::vector<std::string> without;                // headers that are left out
    nlohmann::json with = nlohmann::json::object();  // headers that are set
};

/// One thread. Each function but impossible_to_send() and close() throws connection_lost; the object is of no more use
/// then, and what was not acked is back in its queue.
class letter_box {
  public:
    letter_box(const conf::url& where, const conf::broker& settings);
    ~letter_box();

    int socket() const;

    /// How many messages wait in the queue; or why the broker does not say.
    std::variant<std::uint64_t, refusal> length(const std::string& queue);

    /// The next message of the queue; nullopt: it is empty. A refusal gives back all that was fetched before.
    std::variant<std::optional<letter>, refusal> get(const std::string& queue);

    /// Why no broker takes this copy: its headers do not fit into a frame.
    std::optional<impossible> impossible_to_send(const copy& one) const;

    /// Sends the copies, each mandatory, and waits until the broker has answered for each. The outcomes are in the
    /// order of the copies, and none is unknown: that throws. While the broker is blocked it waits; `go_on` is asked
    /// several times a second, and once it says no, a second is left.
    std::vector<outcome> send(std::span<const copy> copies, const std::function<bool()>& go_on);

    /// Takes the message out of its queue for good; gives it back to where it was, as far as the queue can.
    void ack(const letter& one);
    void give_back(const letter& one);

    /// Answers heartbeats; to be called every half of one. False: the broker takes nothing at present.
    bool tend();

    /// Says goodbye. Never throws.
    void close();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace relay::amqp
