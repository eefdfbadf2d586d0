#include "sidecar/body_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "outbox/utf8.hpp"
#include "sidecar/log.hpp"

namespace sidecar {
namespace {

constexpr std::size_t bytes_per_line = 16;
constexpr std::size_t longest_character = 4;

std::string hexadecimal(std::string_view bytes) {
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += bytes_per_line) {
        std::string hex, text;
        for (const char c : bytes.substr(at, bytes_per_line)) {
            const auto byte = static_cast<unsigned char>(c);
            hex += fmt::format("{:02x} ", byte);
            text += byte >= 0x20 && byte < 0x7F ? c : '.';
        }
        out += fmt::format("{:08x}  {:<{}} {}\n", at, hex, 3 * bytes_per_line, text);
    }
    return out;
}

std::string printable_lines(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out += printable(text.substr(0, end)) + '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// Where the text's last character may be cut off.
std::string_view without_cut_end(std::string_view text) {
    for (std::size_t cut = 1; cut < longest_character && cut <= text.size(); ++cut) {
        const auto rest = text.substr(text.size() - cut);
        if (static_cast<unsigned char>(rest.front()) < 0xC0) continue;
        return outbox::first_character(rest) == 0 ? text.substr(0, text.size() - cut) : text;
    }
    return text;
}

}  // namespace

// Parsing and printing again would change numbers that no double can hold.
std::string indented_json(std::string_view text) {
    if (!nlohmann::json::accept(text)) return {};
    std::string out;
    std::size_t depth = 0;
    bool quoted = false, empty = false;
    const auto new_line = [&] { out += '\n' + std::string(2 * depth, ' '); };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted) {
            out += c;
            if (c == '\\') out += text[++at];
            quoted = c != '"';
            continue;
        }
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
        const bool closes = c == '}' || c == ']';
        if (closes) {
            --depth;
            if (!empty) new_line();
        } else if (empty) {
            new_line();
        }
        out += c;
        empty = c == '{' || c == '[';
        if (empty) ++depth;
        if (c == ',') new_line();
        if (c == ':') out += ' ';
        quoted = c == '"';
    }
    return out;
}

std::optional<std::string_view> shown_text(std::string_view body, bool whole) {
    const auto text = whole ? body : without_cut_end(body);
    return outbox::is_utf8(text) ? std::optional(text) : std::nullopt;
}

std::string body_text(std::string_view body, bool whole) {
    const auto text = shown_text(body, whole);
    if (!text) return hexadecimal(body);
    const auto json = whole ? indented_json(*text) : std::string();
    return printable_lines(json.empty() ? *text : json);
}

}  // namespace sidecar
