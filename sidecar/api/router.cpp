#include "sidecar/api/router.hpp"

#include <algorithm>
#include <charconv>

#include "outbox/utf8.hpp"

namespace sidecar::api {
namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> all;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto end = std::min(path.find('/'), path.size());
        all.push_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return all;
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{'); }

bool fits(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path) {
    return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(),
                      [](auto wanted, auto found) { return is_parameter(wanted) || wanted == found; });
}

// Of two patterns that fit, the one whose first difference is literal.
bool goes_before(const std::vector<std::string_view>& one, const std::vector<std::string_view>& other) {
    return std::lexicographical_compare(one.begin(), one.end(), other.begin(), other.end(),
                                        [](auto a, auto b) { return !is_parameter(a) && is_parameter(b); });
}

}  // namespace

bool permits(needs what, std::optional<role> who) {
    switch (what) {
        case needs::nothing: return true;
        case needs::viewing: return who == role::viewer || who == role::operating;
        case needs::operating: return who == role::operating;
        case needs::reporting: return who == role::consumer || who == role::operating;
    }
    return false;
}

void router::add(std::string method, std::string pattern, needs who, store_handler handler) {
    routes_.push_back({std::move(method), std::move(pattern), who, std::move(handler)});
}

void router::add_quick(std::string method, std::string pattern, needs who, quick_handler handler) {
    routes_.push_back({std::move(method), std::move(pattern), who, std::move(handler)});
}

std::variant<match, no_such_method, no_such_path> router::find(std::string_view method, std::string_view path) const {
    if (!path.starts_with('/')) return no_such_path{};
    const auto wanted = segments_of(path);
    std::vector<std::string_view> best;
    for (const auto& one : routes_) {
        const auto pattern = segments_of(one.pattern);
        if (fits(pattern, wanted) && (best.empty() || goes_before(pattern, best))) best = pattern;
    }
    if (best.empty()) return no_such_path{};

    if (method == "HEAD") method = "GET";
    std::string allowed;
    for (const auto& one : routes_) {
        const auto pattern = segments_of(one.pattern);
        if (pattern != best) continue;
        allowed += (allowed.empty() ? "" : ", ") + one.method + (one.method == "GET" ? ", HEAD" : "");
        if (one.method != method) continue;
        match found{&one, {}};
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            if (!is_parameter(pattern[i])) continue;
            auto value = percent_decoded(wanted[i], false);
            if (!value) return no_such_path{};
            found.params.emplace(pattern[i].substr(1, pattern[i].size() - 2), *std::move(value));
        }
        return found;
    }
    return no_such_method{allowed};
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus) {
            decoded += ' ';
        } else if (text[i] != '%') {
            decoded += text[i];
        } else {
            unsigned byte = 0;
            const auto digits = text.substr(i + 1, 2);
            const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
            if (digits.size() < 2 || read.ptr != digits.data() + 2) return std::nullopt;
            decoded += static_cast<char>(byte);
            i += 2;
        }
    }
    return outbox::is_utf8(decoded) ? std::optional(decoded) : std::nullopt;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> all;
    while (!text.empty()) {
        const auto one = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        if (one.empty()) continue;
        const auto equals = std::min(one.find('='), one.size());
        auto name = percent_decoded(one.substr(0, equals), true);
        auto value = percent_decoded(one.substr(std::min(equals + 1, one.size())), true);
        if (!name || !value) throw problem(400, "the query can't be decoded: '" + std::string(one) + "'");
        all.emplace_back(*std::move(name), *std::move(value));
    }
    return all;
}

}  // namespace sidecar::api
