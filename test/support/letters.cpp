#include "test/support/letters.hpp"

#include <stdexcept>

#include "conf/url.hpp"
#include "test/support/amqp_values.hpp"
#include "test/support/database.hpp"
#include "test/support/environment.hpp"

namespace support {

graveyard::graveyard(broker& at, const nlohmann::json& dead_queue_arguments)
    : broker_(at), exchange_(unique_name("gr")), queue_(exchange_ + "_queue"), dead_(exchange_ + "_dead") {
    broker_.declare_exchange(exchange_);
    broker_.declare_queue(dead_, dead_queue_arguments);
    broker_.declare_queue(queue_,
                          {{"x-message-ttl", 1}, {"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", dead_}});
    broker_.bind(queue_, exchange_, "#");
}

graveyard::~graveyard() {
    try {
        broker_.delete_queue(queue_);
        broker_.delete_queue(dead_);
        broker_.delete_exchange(exchange_);
    } catch (const std::exception&) {
        // The broker is what the test has taken away; nobody else uses these names.
    }
}

void graveyard::heal() {
    broker_.delete_queue(queue_);
    broker_.declare_queue(queue_);
    broker_.bind(queue_, exchange_, "#");
}

void publish_padded(const std::string& exchange, const std::string& routing_key, const std::string& id,
                    std::size_t properties_size) {
    const auto url = conf::parse_url(amqp_url());
    amqp_connection_state_t state = amqp_new_connection();
    const auto require = [&](bool fine, const char* what) {
        if (fine) return;
        amqp_destroy_connection(state);
        throw std::runtime_error(what);
    };
    const auto answered = [&] { return amqp_get_rpc_reply(state).reply_type == AMQP_RESPONSE_NORMAL; };
    amqp_socket_t* socket = amqp_tcp_socket_new(state);
    require(amqp_socket_open(socket, url.host.c_str(), url.port) == 0, "can't connect");
    require(amqp_login(state, url.vhost().c_str(), 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, url.user.c_str(),
                       url.password.value_or("").c_str())
                    .reply_type == AMQP_RESPONSE_NORMAL,
            "login");
    amqp_channel_open(state, 1);
    require(answered(), "channel.open");
    amqp_confirm_select(state, 1);
    require(answered(), "confirm.select");

    // Flags; message id; the table's length, and in it a name, a kind, and a text with its length.
    const std::size_t around = 2 + (1 + id.size()) + 4 + (1 + 3) + 1 + 4;
    const std::string pad(properties_size - around, 'x');
    amqp_table_entry_t entry{};
    entry.key = bytes_of("pad");
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = bytes_of(pad);
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_HEADERS_FLAG;
    properties.message_id = bytes_of(id);
    properties.headers = {1, &entry};
    require(
        amqp_basic_publish(state, 1, bytes_of(exchange), bytes_of(routing_key), 0, 0, &properties, bytes_of("{}")) == 0,
        "publish");
    amqp_frame_t frame{};
    require(amqp_simple_wait_frame(state, &frame) == 0 && frame.frame_type == AMQP_FRAME_METHOD &&
                frame.payload.method.id == AMQP_BASIC_ACK_METHOD,
            "confirm");
    amqp_connection_close(state, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(state);
}

}  // namespace support
