#include "conf/checks.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "conf/address.hpp"
#include "conf/files.hpp"
#include "conf/url.hpp"

namespace conf {
namespace {

std::optional<url> parsed_url(const std::string& text) {
    try {
        return parse_url(text);
    } catch (const wrong_value&) {
        return std::nullopt;
    }
}

}  // namespace

objection not_empty(const std::string& value) { return value.empty() ? objection{"some text"} : std::nullopt; }

objection short_text(const std::string& value) {
    return value.size() > 255 ? objection{"at most 255 bytes"} : std::nullopt;
}

objection instance_name(const std::string& value) {
    return value.size() > 200 ? objection{"at most 200 bytes"} : std::nullopt;
}

objection table_name(const std::string& value) {
    const auto is_name = [](std::string_view part) {
        return !part.empty() && part.size() <= 64 && std::all_of(part.begin(), part.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
        });
    };
    const std::string_view text = value;
    const auto dot = text.find('.');
    const bool fine =
        dot == std::string_view::npos ? is_name(text) : is_name(text.substr(0, dot)) && is_name(text.substr(dot + 1));
    if (fine) return std::nullopt;
    return "a table or schema.table of letters, digits, _ and $, each at most 64 long";
}

objection source_name(const std::string& value) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    };
    if (!value.empty() && value.size() <= 64 && std::all_of(value.begin(), value.end(), fits)) return std::nullopt;
    return "1 to 64 letters, digits, hyphens, underscores and dots";
}

objection usable_url(const std::string& value, std::initializer_list<std::string_view> schemes) {
    try {
        const auto parsed = parse_url(value);
        if (std::find(schemes.begin(), schemes.end(), parsed.scheme) == schemes.end())
            return fmt::format("the url's scheme must be one of {}", fmt::join(schemes, ", "));
        // Ignoring what someone asked for, ?ssl=true say, would be worse than refusing it.
        if (!parsed.query.empty() && !parsed.scheme.starts_with("http"))
            return "the url has a ?query; write such options as settings of their own";
    } catch (const wrong_value& wrong) {
        return wrong.what();
    }
    return std::nullopt;
}

bool has_password(const std::string& text) {
    const auto parsed = parsed_url(text);
    return parsed && parsed->password.has_value();
}

bool names_database(const std::string& text) {
    const auto parsed = parsed_url(text);
    if (!parsed) return true;
    if (parsed->scheme == "sqlite") return !parsed->path.empty() && !parsed->path.ends_with('/');
    const auto name = parsed->database();
    return !name.empty() && name.find('/') == std::string::npos;
}

bool names_log(const std::vector<std::string>& urls) {
    return std::any_of(urls.begin(), urls.end(), [](const std::string& one) { return one == "log:"; });
}

bool all_different(const std::vector<dead_letters>& queues) {
    std::set<std::string_view> names;
    return std::all_of(queues.begin(), queues.end(),
                       [&](const auto& one) { return one.queue.empty() || names.insert(one.queue).second; });
}

bool has_patterns(const std::vector<dead_letters>& queues) {
    return std::any_of(queues.begin(), queues.end(), [](const auto& one) { return !one.pattern.empty(); });
}

objection listening_address(const std::string& value) {
    if (value.empty() || parse_address(value)) return std::nullopt;
    return "an IP address and a port, as in 127.0.0.1:9464 or [::]:9464";
}

objection readable_file(const std::string& value) {
    if (value.empty()) return std::nullopt;
    const auto fault = why_unreadable(value);
    return fault.empty() ? std::nullopt : objection{"a file that can be read (" + fault + ")"};
}

}  // namespace conf
