#include "test/bench/amqp_link.hpp"

#if __has_include(<rabbitmq-c/tcp_socket.h>)
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_tcp_socket.h>
#endif
#include <new>
#include <stdexcept>

#include "conf/url.hpp"
#include "test/support/environment.hpp"

namespace bench {

amqp_link::amqp_link() : state_(amqp_new_connection()) {
    const auto url = conf::parse_url(support::amqp_url());
    amqp_socket_t* socket = amqp_tcp_socket_new(state_);
    if (socket == nullptr) throw std::bad_alloc();
    if (amqp_socket_open(socket, url.host.c_str(), url.port) != 0) throw std::runtime_error("can't reach the broker");
    const auto reply = amqp_login(state_, url.vhost().c_str(), 0, 131'072, 0, AMQP_SASL_METHOD_PLAIN, url.user.c_str(),
                                  url.password.value_or("").c_str());
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error("can't log in to the broker");
    amqp_channel_open(state_, channel);
    check("channel.open");
}

amqp_link::~amqp_link() { amqp_destroy_connection(state_); }

void amqp_link::check(const char* what) const {
    if (amqp_get_rpc_reply(state_).reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error(what);
}

std::string amqp_link::broker_version() const {
    const amqp_table_t* properties = amqp_get_server_properties(state_);
    for (int i = 0; i < properties->num_entries; ++i) {
        const auto& [key, value] = properties->entries[i];
        if (std::string_view(static_cast<const char*>(key.bytes), key.len) == "version")
            return {static_cast<const char*>(value.value.bytes.bytes), value.value.bytes.len};
    }
    return "?";
}

amqp_bytes_t bytes_of(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

}  // namespace bench
