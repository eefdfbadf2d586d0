#include "sidecar/api/exchange.hpp"

#include <array>
#include <boost/beast/http/status.hpp>

namespace sidecar::api {
namespace {

constexpr std::array roles = {role::viewer, role::operating, role::consumer};
constexpr std::size_t most_named = 10;

std::string dumped(const json& document) {
    return document.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string_view name_of(role one) {
    switch (one) {
        case role::viewer: return "viewer";
        case role::operating: return "operator";
        case role::consumer: return "consumer";
    }
    return {};
}

std::optional<role> role_named(std::string_view name) {
    for (const auto one : roles) {
        if (name_of(one) == name) return one;
    }
    return std::nullopt;
}

answer json_answer(const json& document, unsigned status) {
    return {.status = status, .body = dumped(document), .headers = {}, .audit = {}};
}

answer no_content() { return {.status = 204, .content_type = {}, .body = {}, .headers = {}, .audit = {}}; }

std::string audit_of(std::string_view what, std::span<const std::string> ids) {
    auto text = std::to_string(ids.size()) + ' ' + std::string(what);
    for (std::size_t i = 0; i < ids.size() && i < most_named; ++i) text += (i == 0 ? ": " : ", ") + ids[i];
    return ids.size() > most_named ? text + ", …" : text;
}

answer answer_of(const problem& what) {
    const auto title = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(what.status()));
    answer result = json_answer({{"type", "about:blank"},
                                 {"title", std::string(title.data(), title.size())},
                                 {"status", what.status()},
                                 {"detail", what.what()}},
                                what.status());
    result.content_type = "application/problem+json";
    if (what.retry_after()) result.headers.emplace_back("Retry-After", std::to_string(*what.retry_after()));
    return result;
}

}  // namespace sidecar::api
