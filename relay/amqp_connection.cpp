#include "relay/amqp_connection.hpp"

#include "relay/amqp_frames.hpp"
#include "relay/amqp_table.hpp"

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace relay::amqp {
namespace {

constexpr amqp_channel_t publishing = connection::publishing_channel;
constexpr amqp_channel_t asking = 2;
static_assert(asking < connection::first_free_channel);
constexpr int frame_max = 131'072;
constexpr int not_found = 404;
constexpr amqp_boolean_t passive = 1;  // ask, don't declare
constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";

timeval to_timeval(std::chrono::milliseconds time) {
    return {static_cast<time_t>(time.count() / 1000), static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

void require(int status, const char* what) {
    if (status < 0) throw connection_lost(fmt::format("{}: {}", what, amqp_error_string2(status)));
}

// Closed by the broker, which said why.
class closed : public connection_lost {
  public:
    explicit closed(const amqp_connection_close_t& said)
        : connection_lost(
              fmt::format("the broker closed the connection: {} {}", said.reply_code, text_of(said.reply_text))),
          code_(said.reply_code) {}
    int code() const { return code_; }

  private:
    int code_;
};

amqp_table_entry_t entry(const char* name, amqp_field_value_t value) { return {amqp_cstring_bytes(name), value}; }

amqp_field_value_t field(bool value) {
    amqp_field_value_t result{};
    result.kind = AMQP_FIELD_KIND_BOOLEAN;
    result.value.boolean = value ? 1 : 0;
    return result;
}

amqp_field_value_t field(std::string_view value) {
    amqp_field_value_t result{};
    result.kind = AMQP_FIELD_KIND_UTF8;
    result.value.bytes = bytes_of(value);
    return result;
}

nlohmann::json json_of(const std::vector<conf::argument>& arguments) {
    auto object = nlohmann::json::object();
    for (const auto& one : arguments) object[one.name] = nlohmann::json::parse(one.json);
    return object;
}

}  // namespace

struct connection::impl {
    amqp_connection_state_t state = amqp_new_connection();
    amqp_pool_t pool{};  // for one message's headers, or one declaration's arguments
    frame_buffer unsent;
    std::optional<std::size_t> largest_gathered;  // body; nullopt: none is, as the library alone can write with TLS
    bool corked = false;

    // A basic.return comes in frames: the method, a header, and bodies until it is whole.
    std::optional<returned_message> returning;
    std::uint64_t body_left = 0;

    impl() {
        if (state == nullptr) throw std::bad_alloc();
        init_amqp_pool(&pool, 4096);
    }
    ~impl() {
        empty_amqp_pool(&pool);
        amqp_destroy_connection(state);
    }
    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    void open_socket(const conf::url& where, const conf::broker& settings) {
        const bool tls = where.scheme == "amqps";
        amqp_socket_t* socket = tls ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state);
        if (socket == nullptr) throw std::bad_alloc();
        if (tls) secure(socket, settings.tls);
        const auto timeout = to_timeval(settings.connect_timeout);
        require(amqp_socket_open_noblock(socket, where.host.c_str(), where.port, &timeout), "can't connect");
    }

    static void secure(amqp_socket_t* socket, const conf::tls& tls) {
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
        amqp_ssl_socket_set_verify_peer(socket, tls.verify ? 1 : 0);
        amqp_ssl_socket_set_verify_hostname(socket, tls.verify ? 1 : 0);
        const std::string& ca = tls.ca_file.empty() ? system_certificates : tls.ca_file;
        if (tls.verify) require(amqp_ssl_socket_set_cacert(socket, ca.c_str()), "broker.tls.ca_file");
        if (!tls.cert_file.empty())
            require(amqp_ssl_socket_set_key(socket, tls.cert_file.c_str(), tls.key_file.c_str()),
                    "broker.tls.cert_file, key_file");
    }

    void log_in(const conf::url& where, const conf::broker& settings) {
        const auto timeout = to_timeval(settings.connect_timeout);
        require(amqp_set_handshake_timeout(state, &timeout), "handshake timeout");
        require(amqp_set_rpc_timeout(state, &timeout), "rpc timeout");

        amqp_table_entry_t capabilities[] = {
            entry("connection.blocked", field(true)),
            entry("authentication_failure_close", field(true)),  // or a wrong password just looks like a lost socket
            entry("publisher_confirms", field(true)),
            entry("consumer_cancel_notify", field(true)),  // or a consumer never hears that its queue was deleted
        };
        amqp_field_value_t capability_table{};
        capability_table.kind = AMQP_FIELD_KIND_TABLE;
        capability_table.value.table = {std::size(capabilities), capabilities};
        char host[256] = "";
        gethostname(host, sizeof host - 1);
        const std::string name = fmt::format("outbox-sidecar on {} (pid {})", host, getpid());
        amqp_table_entry_t properties[] = {
            entry("product", field(std::string_view("outbox-sidecar"))),
            entry("connection_name", field(std::string_view(name))),
            entry("capabilities", capability_table),
        };
        const amqp_table_t table{std::size(properties), properties};
        const std::string user = where.user.empty() ? "guest" : where.user;
        const std::string password = where.password ? *where.password : settings.password.value;
        const auto heartbeat = std::max<std::int64_t>(1, settings.heartbeat.count() / 1000);
        const auto reply =
            amqp_login_with_properties(state, where.vhost().c_str(), 0, frame_max, static_cast<int>(heartbeat), &table,
                                       AMQP_SASL_METHOD_PLAIN, user.c_str(), password.c_str());
        if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_SOCKET_ERROR)
            throw connection_lost("can't log in: the broker hung up; is it the right port, protocol and virtual host?");
        check(reply, "can't log in");
    }

    void flush() {
        send_gathered();
        cork(false);
    }

    void send_gathered() {
        if (!unsent.empty() && !unsent.send(amqp_get_sockfd(state)))
            throw connection_lost(fmt::format("can't publish: {}", std::strerror(errno)));
    }

    // While corked, the kernel gathers small writes into full segments.
    void cork(bool on) {
        if (std::exchange(corked, on) == on) return;
        const int value = on ? 1 : 0;
        setsockopt(amqp_get_sockfd(state), IPPROTO_TCP, TCP_CORK, &value, sizeof value);  // may fail unnoticed
    }

    void publish(const amqp_basic_publish_t& method, const amqp_basic_properties_t& properties, std::string_view body) {
        if (largest_gathered && body.size() <= *largest_gathered) {
            if (unsent.full()) send_gathered();
            if (!unsent.append(publishing, method, properties, body))
                throw connection_lost("can't publish: the message can't be encoded");
            return;
        }
        send_gathered();
        cork(true);
        require(amqp_basic_publish(state, publishing, method.exchange, method.routing_key, method.mandatory,
                                   method.immediate, &properties, bytes_of(body)),
                "can't publish");
    }

    /// Nullopt if the broker agreed; its refusal if it closed the channel over the question.
    std::optional<refusal> check(const amqp_rpc_reply_t& reply, const char* what) {
        switch (reply.reply_type) {
            case AMQP_RESPONSE_NORMAL: return std::nullopt;
            case AMQP_RESPONSE_NONE: throw connection_lost(fmt::format("{}: no reply", what));
            case AMQP_RESPONSE_LIBRARY_EXCEPTION:
                throw connection_lost(fmt::format("{}: {}", what, amqp_error_string2(reply.library_error)));
            case AMQP_RESPONSE_SERVER_EXCEPTION: break;
        }
        if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
            throw closed(*static_cast<amqp_connection_close_t*>(reply.reply.decoded));
        if (reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD)
            throw connection_lost(fmt::format("{}: unexpected reply {:#x}", what, reply.reply.id));
        const auto& close = *static_cast<amqp_channel_close_t*>(reply.reply.decoded);
        return refusal{close.reply_code, std::string(text_of(close.reply_text))};
    }

    std::optional<refusal> check(const char* what) { return check(amqp_get_rpc_reply(state), what); }

    void must(const char* what) {
        if (const auto refused = check(what))
            throw connection_lost(fmt::format("{}: {} {}", what, refused->code, refused->text));
    }

    void open_channel(amqp_channel_t channel) {
        amqp_channel_open(state, channel);
        must("can't open a channel");
        if (channel != publishing) return;
        amqp_confirm_select(state, channel);
        must("can't switch to publisher confirms");
    }

    void answer_close_and_reopen(amqp_channel_t channel) {
        amqp_channel_close_ok_t ok{};
        require(amqp_send_method(state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok), "can't send");
        amqp_maybe_release_buffers_on_channel(state, channel);
        open_channel(channel);
    }

    /// What the frame means; nullopt: nothing yet.
    std::optional<event> read(const amqp_frame_t& frame) {
        if (frame.frame_type == AMQP_FRAME_METHOD) return read_method(frame.channel, frame.payload.method);
        if (!returning || frame.channel != publishing) return std::nullopt;
        if (frame.frame_type == AMQP_FRAME_HEADER) {
            const auto* properties = static_cast<amqp_basic_properties_t*>(frame.payload.properties.decoded);
            if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0)
                returning->message_id = text_of(properties->message_id);
            body_left = frame.payload.properties.body_size;
        } else if (frame.frame_type == AMQP_FRAME_BODY) {
            body_left -= std::min<std::uint64_t>(body_left, frame.payload.body_fragment.len);
        }
        if (body_left > 0) return std::nullopt;
        event whole = std::move(*returning);
        returning.reset();
        return whole;
    }

    std::optional<event> read_method(amqp_channel_t channel, const amqp_method_t& method) {
        // Only what is said of the publishing channel is about our messages: another's tags are not ours.
        const bool expected = method.id == AMQP_BASIC_ACK_METHOD || method.id == AMQP_BASIC_NACK_METHOD ||
                                      method.id == AMQP_BASIC_RETURN_METHOD
                                  ? channel == publishing
                                  : channel <= asking;
        if (!expected) throw connection_lost("the broker speaks on a channel that was never opened");
        switch (method.id) {
            case AMQP_BASIC_ACK_METHOD: {
                const auto& m = *static_cast<amqp_basic_ack_t*>(method.decoded);
                return ack{m.delivery_tag, m.multiple != 0};
            }
            case AMQP_BASIC_NACK_METHOD: {
                const auto& m = *static_cast<amqp_basic_nack_t*>(method.decoded);
                return nack{m.delivery_tag, m.multiple != 0};
            }
            case AMQP_BASIC_RETURN_METHOD: {
                const auto& m = *static_cast<amqp_basic_return_t*>(method.decoded);
                returning = returned_message{{}, m.reply_code, std::string(text_of(m.reply_text))};
                body_left = 1;  // until the header says how long it is
                return std::nullopt;
            }
            case AMQP_CHANNEL_CLOSE_METHOD: {
                const auto& m = *static_cast<amqp_channel_close_t*>(method.decoded);
                const channel_closed closed{m.reply_code, std::string(text_of(m.reply_text))};
                returning.reset();
                answer_close_and_reopen(channel);
                if (channel == publishing) return closed;
                return std::nullopt;
            }
            case AMQP_CONNECTION_CLOSE_METHOD: {
                const closed why(*static_cast<amqp_connection_close_t*>(method.decoded));
                amqp_connection_close_ok_t ok{};
                amqp_send_method(state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
                throw why;
            }
            case AMQP_CONNECTION_BLOCKED_METHOD: {
                const auto& m = *static_cast<amqp_connection_blocked_t*>(method.decoded);
                return blocked{std::string(text_of(m.reason))};
            }
            case AMQP_CONNECTION_UNBLOCKED_METHOD: return unblocked{};
            default: return std::nullopt;
        }
    }

    // Questions and declarations are RPCs on the asking channel, which a refusal closes.
    template <class Send>
    std::optional<refusal> ask(const char* what, Send&& send) {
        send();
        auto refused = check(what);
        if (refused) answer_close_and_reopen(asking);
        amqp_maybe_release_buffers_on_channel(state, asking);
        return refused;
    }

    template <class Declare>
    void declare_one(const std::string& what, const std::set<std::string>& without,
                     const std::function<void(const std::string&)>& complain, Declare&& send) {
        if (without.contains(what)) return;
        try {
            if (const auto refused = ask("can't declare", send))
                complain(fmt::format("can't declare {}: {} {}", what, refused->code, refused->text));
        } catch (const closed& error) {
            if (error.code() == AMQP_CONNECTION_FORCED) throw;  // an operator did it, or a node that stops
            throw part_fatal(what, fmt::format("can't declare {}: {}", what, error.what()));
        }
        recycle_amqp_pool(&pool);
    }
};

connection::connection(const conf::url& where, const conf::broker& settings) : impl_(std::make_unique<impl>()) {
    impl_->open_socket(where, settings);
    limit_stall(settings.confirm_timeout);
    impl_->log_in(where, settings);
    if (where.scheme == "amqp") {
        constexpr std::size_t around = 8;  // a body in its frame
        const auto frame = static_cast<std::size_t>(amqp_get_frame_max(impl_->state));
        impl_->largest_gathered = std::min(frame_buffer::largest_body, frame - around);
    }
    impl_->open_channel(publishing);
    impl_->open_channel(asking);
}

connection::~connection() = default;

void connection::renew_channel() {
    impl_->flush();
    if (const auto refused =
            impl_->check(amqp_channel_close(impl_->state, publishing, AMQP_REPLY_SUCCESS), "can't close the channel"))
        throw connection_lost("the broker closed the channel first: " + refused->text);
    amqp_maybe_release_buffers_on_channel(impl_->state, publishing);
    impl_->open_channel(publishing);
}

int connection::socket() const { return amqp_get_sockfd(impl_->state); }

amqp_connection_state_t_* connection::state() const { return impl_->state; }

void connection::publish(const outgoing& message) {
    amqp_basic_properties_t properties{};
    const auto set = [&](amqp_flags_t flag, amqp_bytes_t& member, std::string_view text) {
        properties._flags |= flag;
        member = bytes_of(text);
    };
    const auto set_if = [&](amqp_flags_t flag, amqp_bytes_t& member, const std::optional<std::string>& text) {
        if (text) set(flag, member, *text);
    };
    set(AMQP_BASIC_MESSAGE_ID_FLAG, properties.message_id, message.message_id);
    set(AMQP_BASIC_CONTENT_TYPE_FLAG, properties.content_type, message.content_type);
    set(AMQP_BASIC_APP_ID_FLAG, properties.app_id, message.app_id);
    set_if(AMQP_BASIC_CONTENT_ENCODING_FLAG, properties.content_encoding, message.content_encoding);
    set_if(AMQP_BASIC_CORRELATION_ID_FLAG, properties.correlation_id, message.correlation_id);
    set_if(AMQP_BASIC_REPLY_TO_FLAG, properties.reply_to, message.reply_to);
    set_if(AMQP_BASIC_EXPIRATION_FLAG, properties.expiration, message.expiration);
    set_if(AMQP_BASIC_TYPE_FLAG, properties.type, message.type);
    properties._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = message.delivery_mode;
    if (message.priority) {
        properties._flags |= AMQP_BASIC_PRIORITY_FLAG;
        properties.priority = *message.priority;
    }
    if (message.timestamp_ms) {
        properties._flags |= AMQP_BASIC_TIMESTAMP_FLAG;
        properties.timestamp = *message.timestamp_ms / 1000;  // AMQP counts seconds
    }
    const bool has_headers = !message.headers.empty();
    if (has_headers) {
        properties._flags |= AMQP_BASIC_HEADERS_FLAG;
        properties.headers = to_table(message.headers, impl_->pool);
    }
    amqp_basic_publish_t method{};
    method.exchange = bytes_of(message.row.exchange);
    method.routing_key = bytes_of(message.row.routing_key);
    method.mandatory = 1;
    impl_->publish(method, properties, message.body);
    if (has_headers) recycle_amqp_pool(&impl_->pool);
}

void connection::flush() { impl_->flush(); }

std::optional<event> connection::next() {
    for (;;) {
        amqp_maybe_release_buffers(impl_->state);
        amqp_frame_t frame{};
        const timeval at_once{0, 0};
        const int status = amqp_simple_wait_frame_noblock(impl_->state, &frame, &at_once);
        if (status == AMQP_STATUS_TIMEOUT) return std::nullopt;
        require(status, "connection lost");
        if (auto said = impl_->read(frame)) return said;
    }
}

bool connection::exchange_exists(const std::string& name) {
    const auto refused = ask_for_exchange(name);
    return !refused || refused->code != not_found;
}

std::optional<refusal> connection::ask_for_exchange(const std::string& name) {
    return impl_->ask("can't ask for an exchange", [&] {
        amqp_exchange_declare(impl_->state, asking, bytes_of(name), amqp_cstring_bytes("direct"), passive, 0, 0, 0,
                              amqp_empty_table);
    });
}

std::optional<refusal> connection::ask_for_queue(const std::string& name) {
    return impl_->ask("can't ask for a queue", [&] {
        amqp_queue_declare(impl_->state, asking, bytes_of(name), passive, 0, 0, 0, amqp_empty_table);
    });
}

broker_identity connection::identity() const {
    const amqp_table_t* properties = amqp_get_server_properties(impl_->state);
    const auto text = [&](std::string_view name) -> std::string {
        for (int i = 0; i < properties->num_entries; ++i) {
            const auto& [key, value] = properties->entries[i];
            const bool is_text = value.kind == AMQP_FIELD_KIND_UTF8 || value.kind == AMQP_FIELD_KIND_BYTES;
            if (is_text && text_of(key) == name) return std::string(text_of(value.value.bytes));
        }
        return {};
    };
    return {text("product"), text("version"), text("cluster_name")};
}

void connection::declare(const conf::topology& topology, const std::set<std::string>& without,
                         const std::function<void(const std::string&)>& complain) {
    auto& io = *impl_;
    for (const auto& one : topology.exchanges) {
        const auto arguments = json_of(one.arguments);
        io.declare_one(fmt::format("exchange '{}'", one.name), without, complain, [&] {
            amqp_exchange_declare(io.state, asking, bytes_of(one.name), bytes_of(one.type), 0, one.durable,
                                  one.auto_delete, one.internal, to_table(arguments, io.pool));
        });
    }
    for (const auto& one : topology.queues) {
        const auto arguments = json_of(one.arguments);
        io.declare_one(fmt::format("queue '{}'", one.name), without, complain, [&] {
            amqp_queue_declare(io.state, asking, bytes_of(one.name), 0, one.durable, one.exclusive, one.auto_delete,
                               to_table(arguments, io.pool));
        });
    }
    for (const auto& one : topology.bindings) {
        const auto arguments = json_of(one.arguments);
        const bool to_queue = one.to_exchange.empty();
        const auto what = fmt::format("the binding of {} '{}' to exchange '{}'", to_queue ? "queue" : "exchange",
                                      to_queue ? one.queue : one.to_exchange, one.exchange);
        io.declare_one(what, without, complain, [&] {
            const auto table = to_table(arguments, io.pool);
            if (to_queue)
                amqp_queue_bind(io.state, asking, bytes_of(one.queue), bytes_of(one.exchange),
                                bytes_of(one.routing_key), table);
            else
                amqp_exchange_bind(io.state, asking, bytes_of(one.to_exchange), bytes_of(one.exchange),
                                   bytes_of(one.routing_key), table);
        });
    }
}

void connection::limit_stall(std::chrono::milliseconds time) {
    // Also counts while the peer is alive but offers no window; see tcp(7).
    const auto value = static_cast<unsigned>(std::clamp<std::int64_t>(time.count(), 0, INT_MAX));
    setsockopt(socket(), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
}

void connection::close() { amqp_connection_close(impl_->state, AMQP_REPLY_SUCCESS); }

}  // namespace relay::amqp
