#include "test/support/broker.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <thread>

#include "conf/url.hpp"
#include "test/support/amqp_values.hpp"
#include "test/support/database.hpp"
#include "test/support/environment.hpp"

namespace support {
namespace {

using namespace std::chrono_literals;

constexpr auto broker_may_be_away = 30s;

// The connection is of no more use; another may be.
class lost : public std::runtime_error {
    using runtime_error::runtime_error;
};

class refused : public std::runtime_error {
  public:
    refused(int reply_code, const std::string& text) : runtime_error(text), code(reply_code) {}
    int code;
};

}  // namespace

struct broker::impl {
    explicit impl(const std::string& url) : where(conf::parse_url(url)) {}
    ~impl() { disconnect(); }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    conf::url where;
    amqp_connection_state_t state = nullptr;
    amqp_channel_t channel = 0;  // the one in use; a refusal closes it, and the next one is used

    void disconnect() {
        if (state != nullptr) amqp_destroy_connection(state);
        state = nullptr;
    }

    void check(const amqp_rpc_reply_t& reply, const char* what) {
        if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
        if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
            const auto& close = *static_cast<amqp_channel_close_t*>(reply.reply.decoded);
            const refused answer(close.reply_code, fmt::format("{}: {}", what, text_of(close.reply_text)));
            amqp_channel_close_ok_t ok{};
            amqp_send_method(state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
            open_channel();
            throw answer;
        }
        throw lost(fmt::format("{}: {}", what, amqp_error_string2(reply.library_error)));
    }

    void check(const char* what) { check(amqp_get_rpc_reply(state), what); }

    void open_channel() {
        amqp_channel_open(state, ++channel);
        check("channel.open");
    }

    void connect() {
        state = amqp_new_connection();
        amqp_socket_t* socket = amqp_tcp_socket_new(state);
        const timeval timeout{10, 0};
        if (amqp_socket_open_noblock(socket, where.host.c_str(), where.port, &timeout) != 0)
            throw lost("can't connect");
        amqp_set_handshake_timeout(state, &timeout);
        amqp_set_rpc_timeout(state, &timeout);
        check(amqp_login(state, where.vhost().c_str(), 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, where.user.c_str(),
                         where.password.value_or("").c_str()),
              "login");
        channel = 0;
        open_channel();
    }

    // All that is asked of a broker here can be asked twice.
    template <class Work>
    auto call(Work&& work) {
        const auto deadline = std::chrono::steady_clock::now() + broker_may_be_away;
        for (;;) {
            try {
                if (state == nullptr) connect();
                amqp_maybe_release_buffers(state);
                return work();
            } catch (const lost&) {
                disconnect();
                if (std::chrono::steady_clock::now() >= deadline) throw;
                std::this_thread::sleep_for(50ms);
            }
        }
    }

    void send(const std::string& exchange, const std::string& routing_key, const std::string& body,
              const std::string& id) {
        amqp_basic_properties_t properties{};
        properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | (id.empty() ? 0 : AMQP_BASIC_MESSAGE_ID_FLAG);
        properties.delivery_mode = 2;
        properties.message_id = bytes_of(id);
        if (amqp_basic_publish(state, channel, bytes_of(exchange), bytes_of(routing_key), 0, 0, &properties,
                               bytes_of(body)) != 0)
            throw lost("can't publish");
    }

    // Whatever was sent on the channel before is dealt with first.
    void wait_for_what_was_sent() {
        amqp_exchange_declare(state, channel, bytes_of("amq.topic"), bytes_of("topic"), 1, 0, 0, 0, amqp_empty_table);
        check("publish");
    }

    template <class Ask>
    bool exists(Ask&& ask) {
        return call([&] {
            try {
                ask();
                check("passive declare");
                return true;
            } catch (const refused& answer) {
                if (answer.code == 404) return false;
                throw;
            }
        });
    }

    // The messages that came without being asked for one by one; `most` of them, or those that are there already.
    void take_deliveries(std::size_t most, const timeval& patience, std::vector<received>& into) {
        for (std::size_t i = 0; i < most; ++i) {
            amqp_maybe_release_buffers(state);
            amqp_envelope_t envelope{};
            const auto reply = amqp_consume_message(state, &envelope, &patience, 0);
            if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_TIMEOUT)
                return;
            check(reply, "delivery");
            auto& one = into.emplace_back();
            one.exchange = text_of(envelope.exchange);
            one.routing_key = text_of(envelope.routing_key);
            one.redelivered = envelope.redelivered != 0;
            read_content(envelope.message.properties, envelope.message.body, one);
            amqp_destroy_envelope(&envelope);
        }
    }
};

broker::broker() : broker(amqp_url()) {}
broker::broker(const std::string& url) : impl_(std::make_unique<impl>(url)) {}
broker::~broker() = default;

void broker::declare_exchange(const std::string& name, const std::string& type) {
    impl_->call([&] {
        amqp_exchange_declare(impl_->state, impl_->channel, bytes_of(name), bytes_of(type), 0, 1, 0, 0,
                              amqp_empty_table);
        impl_->check("exchange.declare");
    });
}

void broker::declare_queue(const std::string& name, const nlohmann::json& given) {
    arguments table(given);
    impl_->call([&] {
        amqp_queue_declare(impl_->state, impl_->channel, bytes_of(name), 0, 1, 0, 0, table.table());
        impl_->check("queue.declare");
    });
}

void broker::bind(const std::string& queue, const std::string& exchange, const std::string& routing_key) {
    impl_->call([&] {
        amqp_queue_bind(impl_->state, impl_->channel, bytes_of(queue), bytes_of(exchange), bytes_of(routing_key),
                        amqp_empty_table);
        impl_->check("queue.bind");
    });
}

void broker::delete_exchange(const std::string& name) {
    impl_->call([&] {
        amqp_exchange_delete(impl_->state, impl_->channel, bytes_of(name), 0);
        impl_->check("exchange.delete");
    });
}

void broker::delete_queue(const std::string& name) {
    impl_->call([&] {
        amqp_queue_delete(impl_->state, impl_->channel, bytes_of(name), 0, 0);
        impl_->check("queue.delete");
    });
}

void broker::purge(const std::string& queue) {
    impl_->call([&] {
        amqp_queue_purge(impl_->state, impl_->channel, bytes_of(queue));
        impl_->check("queue.purge");
    });
}

bool broker::exchange_exists(const std::string& name) {
    return impl_->exists([&] {
        amqp_exchange_declare(impl_->state, impl_->channel, bytes_of(name), bytes_of("topic"), 1, 0, 0, 0,
                              amqp_empty_table);
    });
}

bool broker::queue_exists(const std::string& name) {
    return impl_->exists(
        [&] { amqp_queue_declare(impl_->state, impl_->channel, bytes_of(name), 1, 0, 0, 0, amqp_empty_table); });
}

std::size_t broker::depth(const std::string& queue) {
    return impl_->call([&]() -> std::size_t {
        const auto* ok =
            amqp_queue_declare(impl_->state, impl_->channel, bytes_of(queue), 1, 0, 0, 0, amqp_empty_table);
        impl_->check("queue.declare");
        return ok->message_count;
    });
}

void broker::publish(const std::string& exchange, const std::string& routing_key, const std::string& body,
                     const std::string& id) {
    impl_->call([&] {
        impl_->send(exchange, routing_key, body, id);
        impl_->wait_for_what_was_sent();
    });
}

void broker::publish_ids(const std::string& queue, const std::vector<std::string>& ids) {
    impl_->call([&] {
        for (const auto& id : ids) impl_->send("", queue, id, {});
        impl_->wait_for_what_was_sent();
    });
}

std::optional<received> broker::get(const std::string& queue) {
    return impl_->call([&]() -> std::optional<received> {
        const auto reply = amqp_basic_get(impl_->state, impl_->channel, bytes_of(queue), 1);
        impl_->check(reply, "basic.get");
        if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) return std::nullopt;
        const auto& ok = *static_cast<amqp_basic_get_ok_t*>(reply.reply.decoded);
        received one;
        one.exchange = text_of(ok.exchange);
        one.routing_key = text_of(ok.routing_key);
        one.redelivered = ok.redelivered != 0;
        amqp_message_t message{};
        impl_->check(amqp_read_message(impl_->state, impl_->channel, &message, 0), "basic.get");
        read_content(message.properties, message.body, one);
        amqp_destroy_message(&message);
        return one;
    });
}

std::vector<received> broker::take_all(const std::string& queue) {
    std::vector<received> all;
    while (const auto count = depth(queue)) {
        impl_->call([&] {
            const auto* ok = amqp_basic_consume(impl_->state, impl_->channel, bytes_of(queue), amqp_empty_bytes, 0, 1,
                                                0, amqp_empty_table);
            impl_->check("basic.consume");
            const std::string tag = text_of(ok->consumer_tag);
            impl_->take_deliveries(count, {10, 0}, all);
            amqp_basic_cancel(impl_->state, impl_->channel, bytes_of(tag));
            impl_->check("basic.cancel");
            impl_->take_deliveries(SIZE_MAX, {0, 0}, all);  // came meanwhile
        });
    }
    return all;
}

route::route(broker& at, const nlohmann::json& queue_arguments, const std::string& prefix)
    : broker_(at), exchange_(unique_name(prefix)), queue_(exchange_ + "_queue") {
    broker_.declare_exchange(exchange_);
    broker_.declare_queue(queue_, queue_arguments);
    broker_.bind(queue_, exchange_, "#");
}

route::~route() {
    try {
        broker_.delete_queue(queue_);
        broker_.delete_exchange(exchange_);
    } catch (const std::exception&) {
        // The broker is what the test has taken away; nobody else uses these names.
    }
}

std::set<std::string> ids_of(const std::vector<received>& messages) {
    std::set<std::string> ids;
    for (const auto& one : messages) ids.insert(one.id);
    return ids;
}

}  // namespace support
