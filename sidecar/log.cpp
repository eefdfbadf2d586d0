#include "sidecar/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "relay/utf8.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;

spdlog::level::level_enum spdlog_level(conf::log_level level) {
    switch (level) {
        case conf::log_level::trace: return spdlog::level::trace;
        case conf::log_level::debug: return spdlog::level::debug;
        case conf::log_level::info: return spdlog::level::info;
        case conf::log_level::warning: return spdlog::level::warn;
        case conf::log_level::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string_view name_of(conf::log_level level) {
    switch (level) {
        case conf::log_level::trace: return "trace";
        case conf::log_level::debug: return "debug";
        case conf::log_level::info: return "info";
        case conf::log_level::warning: return "warning";
        case conf::log_level::error: return "error";
    }
    return "info";
}

std::string utc_now() {
    const auto now = std::chrono::system_clock::now();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

// C0 and C1 controls, DEL, line separators, and the marks that turn the direction of text around.
bool steers_a_terminal(std::string_view character) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
    if (character.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
    if (character.size() != 3 || byte(0) != 0xe2) return false;
    const bool general =
        byte(1) == 0x80 && ((byte(2) >= 0x8b && byte(2) <= 0x8f) || (byte(2) >= 0xa8 && byte(2) <= 0xae));
    const bool isolates = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
    return general || isolates;
}

std::string text_line(conf::log_level level, const std::string& source, std::string_view message,
                      std::initializer_list<log_field> fields) {
    std::string line = fmt::format("{} {:<7} {}", utc_now(), name_of(level), printable(message));
    if (!source.empty()) line += fmt::format(" source={}", source);
    for (const auto& field : fields) {
        if (!field.value.is_string()) {
            line += fmt::format(" {}={}", field.name, field.value.dump());
            continue;
        }
        const auto value = printable(field.value.get_ref<const std::string&>());
        const bool bare = !value.empty() && value.find_first_of(" \"=") == std::string::npos;
        line += bare ? fmt::format(" {}={}", field.name, value) : fmt::format(" {}=\"{}\"", field.name, value);
    }
    return line;
}

std::string json_line(conf::log_level level, const std::string& source, std::string_view event,
                      std::string_view message, std::initializer_list<log_field> fields) {
    json line = {{"time", utc_now()}, {"level", name_of(level)}, {"event", event}, {"message", message}};
    if (!source.empty()) line["source"] = source;
    for (const auto& field : fields) line[std::string(field.name)] = field.value;
    return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A stream that failed once, on a full disk say, would never be written to again, also when there is room.
class lasting_sink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit lasting_sink(std::ostream& out) : out_(out) {}

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (!out_) {
            out_.clear();
            out_.put('\n');  // a part of a line may be there
        }
        out_.write(message.payload.data(), static_cast<std::streamsize>(message.payload.size()));
        out_.put('\n');
        out_.flush();
    }
    void flush_() override { out_.flush(); }

    std::ostream& out_;
};

}  // namespace

struct log::impl {
    impl(std::ostream& out, bool terminal_in)
        : terminal(terminal_in), logger("outbox", std::make_shared<lasting_sink>(out)) {}

    const bool terminal;
    std::atomic<bool> as_json{false};
    spdlog::logger logger;
};

log::log(const conf::log& settings, std::ostream& out, bool terminal) : impl_(std::make_shared<impl>(out, terminal)) {
    apply(settings);
}

log::~log() = default;

log log::of(std::string source) const { return {impl_, std::move(source)}; }

void log::apply(const conf::log& settings) {
    impl_->logger.set_level(spdlog_level(settings.level));
    impl_->as_json = settings.format == conf::log_format::json ||
                     (settings.format == conf::log_format::automatic && !impl_->terminal);
}

bool log::shows(conf::log_level level) const { return impl_->logger.should_log(spdlog_level(level)); }

void log::write(conf::log_level level, std::string_view event, std::string_view message,
                std::initializer_list<log_field> fields) {
    if (!shows(level)) return;
    try {
        const auto line = impl_->as_json ? json_line(level, source_, event, message, fields)
                                         : text_line(level, source_, message, fields);
        impl_->logger.log(spdlog_level(level), spdlog::string_view_t(line));
    } catch (const std::exception&) {
        // Out of memory, most likely: the relay matters more than a line about it.
    }
}

std::string printable(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const auto size = relay::first_character(text);
        if (size == 0) {
            safe += "\xEF\xBF\xBD";
        } else if (const auto character = text.substr(0, size); character == "\n") {
            safe += "\\n";
        } else if (steers_a_terminal(character)) {
            for (const char byte : character) safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
        } else {
            safe += character;
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return safe;
}

}  // namespace sidecar
