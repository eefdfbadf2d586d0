#include "sidecar/trace_context.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sidecar {
namespace {

constexpr std::size_t length = 55;  // 00-<32>-<16>-<2>

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) { return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos; }

}  // namespace

std::optional<trace_context> parse_traceparent(std::string_view value) {
    if (value.size() < length || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
    const auto version = value.substr(0, 2);
    if (!is_hex(version) || version == "ff") return std::nullopt;
    if (value.size() > length && (version == "00" || value[length] != '-')) return std::nullopt;
    const auto trace = value.substr(3, 32);
    const auto parent = value.substr(36, 16);
    const auto flags = value.substr(53, 2);
    if (!is_id(trace) || !is_id(parent) || !is_hex(flags)) return std::nullopt;
    const char low = flags[1];
    const int digit = low <= '9' ? low - '0' : low - 'a' + 10;
    return trace_context{std::string(trace), std::string(parent), (digit & 1) != 0};
}

std::string hex_of(std::uint64_t number) { return fmt::format("{:016x}", number); }

}  // namespace sidecar
