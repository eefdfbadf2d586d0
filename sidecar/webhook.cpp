#include "sidecar/webhook.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "conf/url.hpp"
#include "outbox/utf8.hpp"
#include "relay/digest.hpp"
#include "sidecar/base64.hpp"
#include "sidecar/host_lookup.hpp"
#include "sidecar/http_address.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using is = relay::notice_answer::kind;

constexpr std::size_t longest_reason = 64 * 1024;
constexpr std::size_t longest_headers = 64 * 1024;
constexpr std::size_t answer_limit = 64 * 1024;

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

json headers_of(const std::string& text) {
    if (text.size() > longest_headers) return nullptr;
    auto parsed = json::parse(text, nullptr, false);
    return parsed.is_discarded() ? json(text) : parsed;
}

// A character that is cut in two at the end makes no binary data of a text.
std::string_view whole_characters(std::string_view text, bool cut) {
    for (std::size_t less = 1; cut && less < 4 && less <= text.size(); ++less) {
        const auto first = static_cast<unsigned char>(text[text.size() - less]);
        const std::size_t size = first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (size > less) return text.substr(0, text.size() - less);
    }
    return text;
}

// Seconds, or a date as RFC 9110 has it.
std::optional<std::chrono::milliseconds> wait_asked_for(const http_reply& reply, std::int64_t now) {
    const auto text = reply.header("retry-after");
    if (!text) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size()) {
        std::tm date{};
        if (strptime(text->c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) return std::nullopt;
        number = static_cast<std::int64_t>(timegm(&date)) - now;
    }
    return std::chrono::seconds(std::clamp<std::int64_t>(number, 0, 7 * 86'400));
}

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

http_client::terms terms_of(const conf::webhook& settings) {
    http_client::terms terms{.timeout = settings.timeout, .tls = settings.tls, .body_limit = answer_limit};
    if (!settings.allow_local)
        terms.refuse = [](const std::string& ip) {
            const auto why = why_local(ip);
            return why.empty() ? why : fmt::format("{} is {}, and webhook.allow_local is off", ip, why);
        };
    return terms;
}

}  // namespace

bool is_on(const conf::webhook& settings) {
    return !settings.url.empty() || std::any_of(settings.routes.begin(), settings.routes.end(),
                                                [](const auto& one) { return !one.url.empty(); });
}

std::string webhook_id(const outbox::ledger_entry& entry, std::string_view table) {
    const auto digest = relay::sha256_of(fmt::format("{}\n{}\n{}", table, entry.filed.value_or(0), entry.message_id));
    return fmt::format("msgfail_{}_{}", digest.substr(std::string_view("sha256:").size(), 16), entry.id);
}

std::string webhook_body(const outbox::notice& what, std::string_view table, std::string_view instance,
                         const std::optional<std::string>& payload) {
    const auto& one = what.what;
    json all = {{"type", "message.failed"},
                {"id", one.id},
                {"message_id", one.message_id},
                {"side", one.failed_on == outbox::ledger_entry::side::producer ? "producer" : "consumer"},
                {"exchange", one.exchange},
                {"routing_key", one.routing_key},
                {"key", or_null(one.key)},
                {"tries", or_null(what.try_count)},
                {"reason", one.reason.substr(0, longest_reason)},
                {"message_created", or_null(one.message_created)},
                {"filed", or_null(one.filed)},
                {"table", table},
                {"instance", instance}};
    if (payload) {
        const bool cut = payload->size() < one.payload_size;
        const auto text = whole_characters(*payload, cut);
        const bool readable = outbox::is_utf8(text);
        all["headers"] = one.headers ? headers_of(*one.headers) : json(nullptr);
        all["payload"] = readable ? std::string(text) : base64(*payload);
        all["payload_encoding"] = readable ? "text" : "base64";
        all["payload_size"] = one.payload_size;
        all["payload_cut"] = cut;
    }
    return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string webhook_key(const conf::secret& key) {
    constexpr std::string_view prefix = "whsec_";
    if (!key.value.starts_with(prefix)) return key.value;
    auto bytes = from_base64(std::string_view(key.value).substr(prefix.size()));
    if (!bytes || bytes->empty()) throw std::invalid_argument("key begins with whsec_, but what follows is no base64");
    return *std::move(bytes);
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds, std::string_view body) {
    const auto text = fmt::format("{}.{}.{}", id, seconds, body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size) == nullptr)
        throw std::runtime_error("OpenSSL signs nothing");
    return "v1," + base64({reinterpret_cast<const char*>(digest.data()), size});
}

relay::notice_answer read_answer(const http_reply& reply, std::int64_t now) {
    if (reply.status >= 200 && reply.status < 300) return {is::taken, {}, std::nullopt};
    auto why = fmt::format("HTTP {}", reply.status);
    if (reply.status >= 300 && reply.status < 400) why += ", and redirects are not followed";
    const auto wait = wait_asked_for(reply, now);
    switch (reply.status) {
        case 410: return {is::gone, why, std::nullopt};
        case 429:
        case 502:
        case 503:
        case 504: return {is::away, why, wait};
        default: return {is::refused, why, wait};
    }
}

std::string origin_of(std::string_view url) {
    try {
        const auto parsed = conf::parse_url(url);
        const bool v6 = parsed.host.find(':') != std::string::npos;
        return fmt::format("{}://{}{}{}:{}", parsed.scheme, v6 ? "[" : "", parsed.host, v6 ? "]" : "", parsed.port);
    } catch (const std::invalid_argument&) {
        return "?";
    }
}

std::optional<std::string> why_not_callable(const conf::webhook& settings, const std::string& url) {
    const auto parsed = conf::parse_url(url);
    const auto refuse = terms_of(settings).refuse;
    host_lookup lookup;
    try {
        std::string why;
        for (const auto& one : lookup.find(parsed.host, parsed.port,
                                           std::chrono::steady_clock::now() + settings.timeout, [] { return true; })) {
            why = refuse ? refuse(one.address().to_string()) : "";
            if (why.empty()) return std::nullopt;
        }
        return why;
    } catch (const http_error& error) {
        return error.what();
    }
}

webhook::webhook(const conf::webhook& settings, std::string table, std::string instance)
    : key_(webhook_key(settings.key)),
      table_(std::move(table)),
      instance_(std::move(instance)),
      client_(terms_of(settings)) {}

relay::notice_answer webhook::send(const std::string& url, const outbox::notice& what,
                                   const std::optional<std::string>& payload) {
    const auto id = webhook_id(what.what, table_);
    const auto now = unix_seconds();
    auto body = webhook_body(what, table_, instance_, payload);
    auto signature = webhook_signature(key_, id, now, body);
    try {
        return read_answer(client_.call({.method = "POST",
                                         .url = url,
                                         .headers = {{"content-type", "application/json"},
                                                     {"webhook-id", id},
                                                     {"webhook-timestamp", std::to_string(now)},
                                                     {"webhook-signature", std::move(signature)}},
                                         .body = std::move(body)}),
                           now);
    } catch (const http_error& error) {
        return {is::away, error.what(), std::nullopt};
    }
}

}  // namespace sidecar
