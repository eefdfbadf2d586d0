#pragma once
// sidecar/trace_context.hpp - which trace a message belongs to: W3C Trace Context, https://www.w3.org/TR/trace-context/

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sidecar {

struct trace_context {
    std::string trace_id;   // 32 hex digits, lower case, not all 0
    std::string parent_id;  // 16, likewise
    bool sampled = false;

    bool operator==(const trace_context&) const = default;
};

/// The value of a header `traceparent`; nullopt: it is none. Of a later version than 00 only what 00 knows is read.
std::optional<trace_context> parse_traceparent(std::string_view value);

/// 16 hex digits of a number, lower case.
std::string hex_of(std::uint64_t number);

}  // namespace sidecar
