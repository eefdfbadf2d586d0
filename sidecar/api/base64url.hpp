#pragma once
// sidecar/api/base64url.hpp - base64 with - and _ and without padding (RFC 4648, 5).

#include <optional>
#include <string>
#include <string_view>

namespace sidecar::api {

std::string base64url(std::string_view bytes);

/// nullopt: it is none, or not the only way to write these bytes.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace sidecar::api
