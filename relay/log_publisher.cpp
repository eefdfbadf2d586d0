#include "relay/log_publisher.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "outbox/utf8.hpp"
#include "relay/bell.hpp"
#include "relay/clock.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t window = 256;
constexpr auto pause_after_failure = 1s;

std::string base64(const std::string& bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends it with a NUL
    const auto length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

class log_publisher final : public publisher {
  public:
    log_publisher(int descriptor, observer& watch) : descriptor_(descriptor), watch_(watch) {}

    link state() const override { return up_ ? link::up : link::down; }
    std::size_t room() const override { return up_ ? window - printed_.size() : 0; }
    std::uint64_t max_body() const override { return 0; }
    std::size_t outstanding() const override { return printed_.size(); }

    void send(outgoing&& message, std::vector<attempt>& outcomes) override {
        if (!up_) return outcomes.push_back({std::move(message.row), unknown{false}});
        text_ += log_line(message) + '\n';
        printed_.push_back(std::move(message.row));
    }

    void poll(std::chrono::milliseconds wait, std::vector<attempt>& outcomes) override {
        if (!up_) {
            if (clock_.now() < next_try_) return woken_.wait(wait);
            begin();
        }
        if (!printed_.empty())
            write_out(outcomes);
        else if (wait > 0ms)
            woken_.wait(wait);
    }

    void close(std::vector<attempt>& outcomes) override {
        write_out(outcomes);
        up_ = false;
    }

    void wake() override { woken_.ring(); }
    void abort() override { woken_.ring(); }

  private:
    void begin() {
        up_ = true;
        watch_.broker_up("log:");
        if (!std::exchange(warned_, true))
            watch_.broker_warning(
                "broker.urls is log: - messages are printed and sent to nobody; status 1 means printed, no broker has "
                "confirmed anything");
    }

    void write_out(std::vector<attempt>& outcomes) {
        std::string_view rest = text_;
        while (!rest.empty()) {
            const auto written = ::write(descriptor_, rest.data(), rest.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return fail(std::strerror(errno), rest, outcomes);
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
        text_.clear();
        for (auto& row : std::exchange(printed_, {})) outcomes.push_back({std::move(row), confirmed{}});
    }

    // Some of the lines may have been written, the last of them in part: what is written next begins a new one.
    void fail(const char* why, std::string_view unwritten, std::vector<attempt>& outcomes) {
        const auto written = text_.size() - unwritten.size();
        text_ = written > 0 && text_[written - 1] != '\n' ? "\n" : "";
        for (auto& row : std::exchange(printed_, {})) outcomes.push_back({std::move(row), unknown{true}});
        up_ = false;
        next_try_ = clock_.now() + pause_after_failure;
        watch_.broker_down(std::string("standard output can't be written: ") + why, pause_after_failure);
    }

    const int descriptor_;
    observer& watch_;
    const steady_clock clock_;
    bell woken_;

    bool up_ = false;
    bool warned_ = false;
    time_point next_try_{};
    std::string text_;               // lines not written yet
    std::vector<delivery> printed_;  // the rows that they are for
};

}  // namespace

std::string log_line(const outgoing& message) {
    nlohmann::ordered_json line = {{"exchange", message.row.exchange},
                                   {"routing_key", message.row.routing_key},
                                   {"message_id", message.message_id}};
    const auto add = [&](const char* name, const auto& value) {
        if (value) line[name] = *value;
    };
    add("timestamp_ms", message.timestamp_ms);
    if (!message.content_type.empty()) line["content_type"] = message.content_type;
    add("content_encoding", message.content_encoding);
    add("correlation_id", message.correlation_id);
    add("reply_to", message.reply_to);
    add("expiration", message.expiration);
    add("type", message.type);
    add("priority", message.priority);
    if (!message.app_id.empty()) line["app_id"] = message.app_id;
    line["delivery_mode"] = message.delivery_mode;
    if (!message.headers.empty()) line["headers"] = message.headers;
    if (outbox::is_utf8(message.body))
        line["body"] = message.body;
    else
        line["body_base64"] = base64(message.body);
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::unique_ptr<publisher> make_log_publisher(int descriptor, observer& watch) {
    return std::make_unique<log_publisher>(descriptor, watch);
}

}  // namespace relay
