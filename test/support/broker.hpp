#pragma once
// test/support/broker.hpp - the test's own way to RabbitMQ, beside the code under test.

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace support {

/// A message as it came out of a queue. Properties that it does not have are empty, or nullopt.
struct received {
    std::string id;
    std::string body;
    std::string exchange;
    std::string routing_key;
    bool redelivered = false;

    nlohmann::json headers = nlohmann::json::object();
    std::string header_kinds;  // AMQP's letters for the types of the headers, in order: "SlF"
    std::string content_type;
    std::string content_encoding;
    std::string correlation_id;
    std::string reply_to;
    std::string expiration;
    std::string type;
    std::string app_id;
    std::optional<std::uint64_t> timestamp;
    std::optional<int> delivery_mode;
    std::optional<int> priority;
};

/// One thread. Connects at first use, and again after the broker was away; waits for it then.
/// Throws std::runtime_error with the broker's words.
class broker {
  public:
    /// OUTBOX_TEST_AMQP_URL.
    broker();
    explicit broker(const std::string& url);
    ~broker();

    void declare_exchange(const std::string& name, const std::string& type = "topic");
    void declare_queue(const std::string& name, const nlohmann::json& arguments = nlohmann::json::object());
    void bind(const std::string& queue, const std::string& exchange, const std::string& routing_key);
    void delete_exchange(const std::string& name);
    void delete_queue(const std::string& name);
    void purge(const std::string& queue);

    bool exchange_exists(const std::string& name);
    bool queue_exists(const std::string& name);
    /// Messages that are ready in the queue.
    std::size_t depth(const std::string& queue);

    /// Publishes a persistent message, and waits until the broker has dealt with it; it may be dropped there. Without
    /// an id it has no message_id.
    void publish(const std::string& exchange, const std::string& routing_key, const std::string& body,
                 const std::string& id = {});
    /// Likewise many, each an id as the body of a message.
    void publish_ids(const std::string& queue, const std::vector<std::string>& ids);

    /// Takes one message out; nullopt when the queue is empty.
    std::optional<received> get(const std::string& queue);
    /// Takes all messages out, in order.
    std::vector<received> take_all(const std::string& queue);

    struct impl;

  private:
    std::unique_ptr<impl> impl_;
};

/// An exchange with one queue that gets whatever is published there, with names of their own; deleted at the end.
class route {
  public:
    explicit route(broker& at, const nlohmann::json& queue_arguments = nlohmann::json::object(),
                   const std::string& prefix = "it");
    ~route();
    route(const route&) = delete;
    route& operator=(const route&) = delete;

    const std::string& exchange() const { return exchange_; }
    const std::string& queue() const { return queue_; }

  private:
    broker& broker_;
    std::string exchange_;
    std::string queue_;
};

std::set<std::string> ids_of(const std::vector<received>& messages);

}  // namespace support
