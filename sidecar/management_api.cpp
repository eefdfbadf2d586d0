#include "sidecar/management_api.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "conf/url.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;               // for one page
constexpr std::size_t names_per_page = 500;  // the most that the plugin gives
constexpr std::size_t most_pages = 20;
constexpr std::size_t largest_page = 4 * 1024 * 1024;

std::string url_of_queues(const conf::management& settings, const std::vector<std::string>& brokers,
                          const std::vector<conf::dead_letters>& queues) {
    std::vector<std::string> patterns;
    for (const auto& one : queues)
        if (!one.pattern.empty()) patterns.push_back(one.pattern);
    auto base = settings.url;
    while (base.ends_with('/')) base.pop_back();
    const auto vhost = brokers.empty() ? "/" : conf::parse_url(brokers.front()).vhost();
    return fmt::format(
        "{}/api/queues/{}?pagination=true&page_size={}&columns=name&disable_stats=true&use_regex=true&"
        "name={}",
        base, percent_encoded(vhost), names_per_page, percent_encoded(name_expression(patterns)));
}

std::string what_is_wrong(const http_reply& reply) {
    switch (reply.status) {
        case 401: return "HTTP 401: user or password is wrong, or the user has no tag `management`";
        case 404: return "HTTP 404: there is no such virtual host, or this is no management API";
        default: return fmt::format("HTTP {}", reply.status);
    }
}

}  // namespace

std::string name_expression(const std::vector<std::string>& patterns) {
    std::string all;
    for (const auto& pattern : patterns) {
        all += all.empty() ? "^(" : "|";
        for (const char c : pattern) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                               static_cast<unsigned char>(c) >= 0x80;
            if (c == '*')
                all += ".*";
            else if (c == '?')
                all += ".{1,4}";  // whether it counts in characters or in bytes
            else
                all += plain ? std::string(1, c) : std::string{'\\', c};
        }
    }
    return all.empty() ? "^$" : all + ")$";
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                std::string_view("-._~").find(c) != std::string_view::npos;
        encoded += unreserved ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return encoded;
}

management_api::management_api(const conf::management& settings, const std::vector<std::string>& brokers,
                               const std::vector<conf::dead_letters>& queues)
    : queues_url_(url_of_queues(settings, brokers, queues)),
      client_({.timeout = patience, .tls = settings.tls, .body_limit = largest_page}) {
    const auto user = conf::parse_url(settings.url);
    if (!settings.password.value.empty())
        headers_.emplace_back("authorization", basic_authorization(user.user, settings.password.value));
}

std::vector<std::string> management_api::names() {
    std::vector<std::string> all;
    for (std::size_t page = 1; page <= most_pages; ++page) {
        const auto reply = client_.call({.url = fmt::format("{}&page={}", queues_url_, page), .headers = headers_});
        if (reply.status != 200) throw std::runtime_error(what_is_wrong(reply));
        const auto document = reply.cut ? nlohmann::json() : nlohmann::json::parse(reply.body, nullptr, false);
        if (!document.is_object() || !document.contains("items") || !document["items"].is_array())
            throw std::runtime_error("the answer is not one of RabbitMQ's management API");
        for (const auto& one : document["items"]) {
            const auto name = one.is_object() ? one.find("name") : one.end();
            if (name != one.end() && name->is_string()) all.push_back(name->get<std::string>());
        }
        const auto pages = document.find("page_count");
        if (pages == document.end() || !pages->is_number_integer() || page >= pages->get<std::size_t>()) return all;
    }
    throw std::runtime_error(fmt::format("the patterns mean more than {} queues", most_pages * names_per_page));
}

}  // namespace sidecar
