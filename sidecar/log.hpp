#pragma once
// sidecar/log.hpp - one line for each event: text for people, JSON for machines. Never a body, never a secret: that is
// for the callers to see to; that a line stays one line, whatever bytes it is given, is seen to here.

#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "conf/settings.hpp"

namespace sidecar {

struct log_field {
    std::string_view name;
    nlohmann::json value;  // a text or a number
};

/// Any thread. Never throws.
class log {
  public:
    /// `terminal`: whether people read `out`, which decides for log.format `auto`. `out` has to outlive this object.
    log(const conf::log& settings, std::ostream& out, bool terminal);
    ~log();

    /// The same log, for one of several sources: each line has a field `source`. Settings are those of both. Empty: the
    /// process, or its only source; no such field.
    log of(std::string source) const;

    /// From the next line on.
    void apply(const conf::log& settings);

    bool shows(conf::log_level level) const;

    /// {"time":"2026-01-31T12:00:00.000Z","level":"info","event":"broker_up","message":"…", fields…}, or
    /// 2026-01-31T12:00:00.000Z info    … where=…
    /// Bytes that are not UTF-8 are replaced by U+FFFD; the text form also escapes what could steer a terminal.
    void write(conf::log_level level, std::string_view event, std::string_view message,
               std::initializer_list<log_field> fields = {});

    void info(std::string_view event, std::string_view message, std::initializer_list<log_field> fields = {}) {
        write(conf::log_level::info, event, message, fields);
    }
    void warning(std::string_view event, std::string_view message, std::initializer_list<log_field> fields = {}) {
        write(conf::log_level::warning, event, message, fields);
    }
    void error(std::string_view event, std::string_view message, std::initializer_list<log_field> fields = {}) {
        write(conf::log_level::error, event, message, fields);
    }

  private:
    struct impl;
    log(std::shared_ptr<impl> same, std::string source) : impl_(std::move(same)), source_(std::move(source)) {}

    std::shared_ptr<impl> impl_;
    std::string source_;
};

/// The text with every control character, line separator, invisible direction mark and invalid byte made visible: safe
/// to print on a terminal.
std::string printable(std::string_view text);

}  // namespace sidecar
