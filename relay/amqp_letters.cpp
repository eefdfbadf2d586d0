#include "relay/amqp_letters.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "relay/amqp_table.hpp"
#include "relay/clock.hpp"
#include "relay/confirm_window.hpp"

#if __has_include(<rabbitmq-c/framing.h>)
#include <rabbitmq-c/framing.h>
#else
#include <amqp_framing.h>
#endif

namespace relay::amqp {
namespace {

using namespace std::chrono_literals;

constexpr amqp_channel_t publishing = connection::publishing_channel;
constexpr amqp_channel_t reading = connection::first_free_channel;

// The broker adds to the headers of what dies (x-death), and then sends them in one frame, however long: longer than
// the frames that it takes itself.
constexpr int longest_read_frame = 4 * 1024 * 1024;
constexpr std::size_t around_properties = 8 + 12;  // the frame; class, weight and size of the body
constexpr std::size_t most_outstanding = 256;
constexpr auto longest_wait = 250ms;
constexpr auto time_to_finish = 1s;  // once told to stop

class pool {
  public:
    pool() { init_amqp_pool(&pool_, 4096); }
    ~pool() { empty_amqp_pool(&pool_); }
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    operator amqp_pool_t&() { return pool_; }

  private:
    amqp_pool_t pool_{};
};

}  // namespace

struct letter::native {
    native() = default;
    ~native() {
        if (held) amqp_destroy_message(&message);
    }
    native(const native&) = delete;
    native& operator=(const native&) = delete;

    bool has(amqp_flags_t flag) const { return (message.properties._flags & flag) != 0; }

    amqp_message_t message{};
    bool held = false;
    bool redelivered = false;
    std::uint64_t tag = 0;
    nlohmann::json headers = nlohmann::json::object();
};

letter::letter(std::unique_ptr<native> message) : native_(std::move(message)) {}
letter::letter(letter&&) noexcept = default;
letter& letter::operator=(letter&&) noexcept = default;
letter::~letter() = default;

const nlohmann::json& letter::headers() const { return native_->headers; }
std::string_view letter::body() const { return text_of(native_->message.body); }
bool letter::redelivered() const { return native_->redelivered; }

std::optional<std::string> letter::message_id() const {
    if (!native_->has(AMQP_BASIC_MESSAGE_ID_FLAG)) return std::nullopt;
    return std::string(text_of(native_->message.properties.message_id));
}

std::optional<std::uint64_t> letter::timestamp() const {
    if (!native_->has(AMQP_BASIC_TIMESTAMP_FLAG)) return std::nullopt;
    return native_->message.properties.timestamp;
}

nlohmann::json letter::properties() const {
    const auto& p = native_->message.properties;
    auto all = nlohmann::json::object();
    const auto put = [&](const char* name, amqp_flags_t flag, amqp_bytes_t value) {
        if (native_->has(flag)) all[name] = text_of(value);
    };
    put("content_type", AMQP_BASIC_CONTENT_TYPE_FLAG, p.content_type);
    put("content_encoding", AMQP_BASIC_CONTENT_ENCODING_FLAG, p.content_encoding);
    put("correlation_id", AMQP_BASIC_CORRELATION_ID_FLAG, p.correlation_id);
    put("reply_to", AMQP_BASIC_REPLY_TO_FLAG, p.reply_to);
    put("expiration", AMQP_BASIC_EXPIRATION_FLAG, p.expiration);
    put("type", AMQP_BASIC_TYPE_FLAG, p.type);
    put("app_id", AMQP_BASIC_APP_ID_FLAG, p.app_id);
    if (native_->has(AMQP_BASIC_PRIORITY_FLAG)) all["priority"] = p.priority;
    if (native_->has(AMQP_BASIC_DELIVERY_MODE_FLAG)) all["delivery_mode"] = p.delivery_mode;
    return all;
}

struct letter_box::impl {
    impl(const conf::url& where, const conf::broker& settings)
        : confirm_timeout(settings.confirm_timeout), line(where, settings), state(line.state()) {
        frame_max = amqp_get_frame_max(state);
        heartbeat = amqp_get_heartbeat(state);
        open_reading_channel();
    }

    void open_reading_channel() {
        amqp_channel_open(state, reading);
        if (const auto refused = check(amqp_get_rpc_reply(state), "can't open a channel"))
            throw connection_lost(fmt::format("can't open a channel: {} {}", refused->code, refused->text));
    }

    static void require(int status, const char* what) {
        if (status < 0) throw connection_lost(fmt::format("{}: {}", what, amqp_error_string2(status)));
    }

    /// Nullopt: the broker agreed. A refusal has closed the channel.
    std::optional<refusal> check(const amqp_rpc_reply_t& reply, const char* what) {
        if (reply.reply_type == AMQP_RESPONSE_NORMAL) return std::nullopt;
        if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
            throw connection_lost(fmt::format("{}: {}", what, amqp_error_string2(reply.library_error)));
        if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
            const auto& close = *static_cast<amqp_channel_close_t*>(reply.reply.decoded);
            return refusal{close.reply_code, std::string(text_of(close.reply_text))};
        }
        if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
            const auto& close = *static_cast<amqp_connection_close_t*>(reply.reply.decoded);
            throw connection_lost(fmt::format("{}: the broker closed the connection: {} {}", what, close.reply_code,
                                              text_of(close.reply_text)));
        }
        throw connection_lost(fmt::format("{}: no reply", what));
    }

    // A refusal closes the reading channel, which is opened again.
    template <class Reply>
    std::optional<refusal> ask(const char* what, Reply&& reply) {
        auto refused = check(reply, what);
        if (refused) {
            amqp_channel_close_ok_t ok{};
            require(amqp_send_method(state, reading, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok), "can't send");
            amqp_maybe_release_buffers_on_channel(state, reading);
            open_reading_channel();
        }
        return refused;
    }

    // The library keeps to the agreed length of frames in what it reads as well.
    void read_frames_up_to(int size) {
        require(amqp_tune_connection(state, amqp_get_channel_max(state), size, heartbeat), "can't tune");
    }

    amqp_basic_properties_t properties_of(const copy& one, amqp_pool_t& memory) const {
        auto properties = one.of->native_->message.properties;
        properties._flags &= ~static_cast<amqp_flags_t>(AMQP_BASIC_USER_ID_FLAG);
        const amqp_table_t before =
            one.of->native_->has(AMQP_BASIC_HEADERS_FLAG) ? properties.headers : amqp_empty_table;
        const amqp_table_t added = to_table(one.with, memory);
        const auto most = static_cast<std::size_t>(before.num_entries + added.num_entries);
        amqp_table_t after{0, nullptr};
        if (most > 0) {
            after.entries = static_cast<amqp_table_entry_t*>(amqp_pool_alloc(&memory, most * sizeof *after.entries));
            if (after.entries == nullptr) throw std::bad_alloc();
        }
        for (int i = 0; i < before.num_entries; ++i) {
            const auto name = text_of(before.entries[i].key);
            if (std::find(one.without.begin(), one.without.end(), name) != one.without.end()) continue;
            if (one.with.contains(std::string(name))) continue;
            after.entries[after.num_entries++] = before.entries[i];
        }
        for (int i = 0; i < added.num_entries; ++i) after.entries[after.num_entries++] = added.entries[i];
        properties.headers = after;
        properties._flags |= AMQP_BASIC_HEADERS_FLAG;
        return properties;
    }

    void publish(const copy& one) {
        pool memory;
        const auto properties = properties_of(one, memory);
        require(amqp_basic_publish(state, publishing, bytes_of(one.exchange), bytes_of(one.routing_key), 1, 0,
                                   &properties, one.of->native_->message.body),
                "can't publish");
    }

    // A returned message is told by its message id, so of those without one, or with the same, one is out at a time.
    bool may_join(const std::string& id) const {
        return ids.empty() || (!id.empty() && !ids.contains("") && !ids.contains(id));
    }

    void hear(std::vector<attempt>& answers) {
        while (const auto said = line.next()) std::visit([&](const auto& one) { take(one, answers); }, *said);
    }
    void take(const amqp::ack& said, std::vector<attempt>& answers) {
        if (!window.acked(said.tag, said.multiple, answers)) distrust();
    }
    void take(const amqp::nack& said, std::vector<attempt>& answers) {
        if (!window.nacked(said.tag, said.multiple, answers)) distrust();
        nacked = true;
    }
    void take(const returned_message& said, std::vector<attempt>&) {
        // One without an id is alone, and known to the window by its place.
        const auto& name = said.message_id.empty() ? alone : said.message_id;
        if (!window.returned(name, said.code, said.text)) distrust();
    }
    void take(const channel_closed& said, std::vector<attempt>& answers) {
        exchanges.clear();
        window.channel_closed(said.code, said.text, answers);
    }
    void take(const blocked&, std::vector<attempt>&) {
        is_blocked = true;
        line.limit_stall(0ms);
    }
    void take(const unblocked&, std::vector<attempt>&) {
        is_blocked = false;
        line.limit_stall(confirm_timeout);
    }
    [[noreturn]] static void distrust() { throw connection_lost("the broker speaks of a message that was never sent"); }

    // Publishing to an exchange that is not there costs the channel, and with it the confirms of everything on its way.
    bool exists(const std::string& exchange) {
        if (exchange.empty()) return true;
        const auto known = exchanges.find(exchange);
        if (known != exchanges.end()) return known->second;
        return exchanges[exchange] = line.exchange_exists(exchange);
    }

    void wait() const {
        pollfd ready{line.socket(), POLLIN, 0};
        ::poll(&ready, 1, static_cast<int>(longest_wait.count()));
    }

    const std::chrono::milliseconds confirm_timeout;
    connection line;
    amqp_connection_state_t state;
    int frame_max = 0;  // as agreed; 0: no limit
    int heartbeat = 0;
    confirm_window window{most_outstanding};
    std::multiset<std::string> ids;  // of what is in the window
    std::string alone;               // the place of the last one without an id
    std::map<std::string, bool> exchanges;
    bool is_blocked = false;
    bool nacked = false;  // on the publishing channel
    const steady_clock clock;
};

letter_box::letter_box(const conf::url& where, const conf::broker& settings)
    : impl_(std::make_unique<impl>(where, settings)) {}
letter_box::~letter_box() = default;

int letter_box::socket() const { return impl_->line.socket(); }

std::variant<std::uint64_t, refusal> letter_box::length(const std::string& queue) {
    auto& io = *impl_;
    const auto* ok = amqp_queue_declare(io.state, reading, bytes_of(queue), 1, 0, 0, 0, amqp_empty_table);
    const std::uint64_t count = ok == nullptr ? 0 : ok->message_count;
    if (auto refused = io.ask("can't ask for a queue", amqp_get_rpc_reply(io.state))) return *refused;
    amqp_maybe_release_buffers_on_channel(io.state, reading);
    return count;
}

std::variant<std::optional<letter>, refusal> letter_box::get(const std::string& queue) {
    auto& io = *impl_;
    if (io.frame_max > 0) io.read_frames_up_to(longest_read_frame);
    const auto reply = amqp_basic_get(io.state, reading, bytes_of(queue), 0);
    auto one = std::make_unique<letter::native>();
    if (auto refused = io.ask("can't fetch a message", reply)) {
        if (io.frame_max > 0) io.read_frames_up_to(io.frame_max);
        return *refused;
    }
    const bool empty = reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD;
    if (!empty) {
        const auto& ok = *static_cast<amqp_basic_get_ok_t*>(reply.reply.decoded);
        one->tag = ok.delivery_tag;
        one->redelivered = ok.redelivered != 0;
        if (const auto refused =
                io.check(amqp_read_message(io.state, reading, &one->message, 0), "can't fetch a message"))
            throw connection_lost(fmt::format("can't fetch a message: {} {}", refused->code, refused->text));
        one->held = true;
        if (one->has(AMQP_BASIC_HEADERS_FLAG)) one->headers = to_json(one->message.properties.headers);
    }
    amqp_maybe_release_buffers_on_channel(io.state, reading);
    if (io.frame_max > 0) io.read_frames_up_to(io.frame_max);
    if (empty) return std::optional<letter>{};
    return std::optional<letter>(letter(std::move(one)));
}

std::optional<impossible> letter_box::impossible_to_send(const copy& one) const {
    pool memory;
    auto properties = impl_->properties_of(one, memory);
    const auto room =
        static_cast<std::size_t>(impl_->frame_max > 0 ? impl_->frame_max : longest_read_frame) - around_properties;
    std::vector<char> encoded(room);
    if (amqp_encode_properties(AMQP_BASIC_CLASS, &properties, {encoded.size(), encoded.data()}) >= 0)
        return std::nullopt;
    return impossible{fmt::format("its headers do not fit into a frame of {} bytes", impl_->frame_max)};
}

std::vector<outcome> letter_box::send(std::span<const copy> copies, const std::function<bool()>& go_on) {
    auto& io = *impl_;
    std::vector<outcome> outcomes(copies.size(), unknown{});
    std::deque<std::size_t> waiting;
    for (std::size_t i = 0; i < copies.size(); ++i) waiting.push_back(i);
    std::vector<attempt> answers;
    auto heard = io.clock.now();
    std::optional<time_point> told_to_stop;
    while (!waiting.empty() || io.window.outstanding() > 0) {
        while (!waiting.empty() && !io.is_blocked && io.window.room() > 0) {
            const auto at = waiting.front();
            const auto& one = copies[at];
            const auto id = one.of->message_id().value_or("");
            if (!io.may_join(id)) break;
            waiting.pop_front();
            if (!io.exists(one.exchange)) {
                outcomes[at] = no_exchange{404, fmt::format("NOT_FOUND - no exchange '{}'", one.exchange)};
                continue;
            }
            io.publish(one);
            auto place = std::to_string(at);
            if (id.empty()) io.alone = place;
            io.ids.insert(id);
            io.window.sent({std::move(place), one.exchange, one.routing_key, 0, one.of->body().size()}, id,
                           io.clock.now());
        }
        io.hear(answers);
        if (answers.empty() && (io.window.outstanding() > 0 || io.is_blocked)) {
            io.wait();
            io.hear(answers);
        }
        if (!answers.empty() || io.is_blocked) heard = io.clock.now();
        for (auto& answer : answers) {
            const auto at = static_cast<std::size_t>(std::stoull(answer.row.id));
            if (const auto found = io.ids.find(copies[at].of->message_id().value_or("")); found != io.ids.end())
                io.ids.erase(found);
            if (std::holds_alternative<unknown>(answer.result))
                waiting.push_back(at);  // another one has cost it its channel
            else
                outcomes[at] = std::move(answer.result);
        }
        answers.clear();
        const auto now = io.clock.now();
        if (io.window.outstanding() > 0 && now - heard > io.confirm_timeout)
            throw connection_lost("the broker has confirmed nothing for broker.confirm_timeout");
        if (!told_to_stop && !go_on()) told_to_stop = now;
        if (told_to_stop && now - *told_to_stop > time_to_finish) throw connection_lost("told to stop");
    }
    // The channel may have met a queue without its leader, and would go on with nacks: see rabbitmq.cpp.
    if (std::exchange(io.nacked, false)) {
        io.line.renew_channel();
        io.window.lost(answers);  // none: it begins anew
    }
    return outcomes;
}

void letter_box::ack(const letter& one) {
    impl::require(amqp_basic_ack(impl_->state, reading, one.native_->tag, 0), "can't ack");
}

void letter_box::give_back(const letter& one) {
    impl::require(amqp_basic_nack(impl_->state, reading, one.native_->tag, 0, 1), "can't give back");
}

bool letter_box::tend() {
    std::vector<attempt> none;
    impl_->hear(none);
    impl_->exchanges.clear();  // what was so a while ago
    return !impl_->is_blocked;
}

void letter_box::close() { impl_->line.close(); }

}  // namespace relay::amqp
