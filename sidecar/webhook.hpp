#pragma once
// sidecar/webhook.hpp - failures told over HTTP, signed as Standard Webhooks has it
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conf/settings.hpp"
#include "relay/notice_teller.hpp"
#include "sidecar/http_client.hpp"

namespace sidecar {

// ---- pure

bool is_on(const conf::webhook& settings);

/// The same each time that the entry is told, and unlike that of any other.
std::string webhook_id(const outbox::ledger_entry& entry, std::string_view table);

/// The JSON text. `payload`: its beginning, if it is to be told; then with the headers, too.
std::string webhook_body(const outbox::notice& what, std::string_view table, std::string_view instance,
                         const std::optional<std::string>& payload);

/// The bytes of a configured key: what follows whsec_, decoded; or the text itself.
/// Throws std::invalid_argument: after whsec_ there is no base64.
std::string webhook_key(const conf::secret& key);

/// "v1," and the HMAC-SHA256 of id, seconds and body, in base64.
std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds, std::string_view body);

/// What an answer says. `now`: for a Retry-After that names a date; seconds since the epoch.
relay::notice_answer read_answer(const http_reply& reply, std::int64_t now);

/// Scheme, host and port: all of an url that may be shown, as its path may be a secret.
std::string origin_of(std::string_view url);

// ----

/// Why this url could not be called now: its host has no address, or none that is allowed. nullopt: it could. Looks the
/// name up, and connects to nobody.
std::optional<std::string> why_not_callable(const conf::webhook& settings, const std::string& url);

/// One thread, but for stop().
class webhook final : public relay::notice_sender {
  public:
    /// Throws std::invalid_argument for a key or certificates that can't be used.
    webhook(const conf::webhook& settings, std::string table, std::string instance);

    relay::notice_answer send(const std::string& url, const outbox::notice& what,
                              const std::optional<std::string>& payload) override;

    /// Cuts off what is under way. Any thread.
    void stop() { client_.stop(); }

  private:
    const std::string key_;
    const std::string table_;
    const std::string instance_;
    http_client client_;
};

}  // namespace sidecar
