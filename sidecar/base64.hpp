#pragma once
// sidecar/base64.hpp - RFC 4648, section 4.

#include <optional>
#include <string>
#include <string_view>

namespace sidecar {

std::string base64(std::string_view bytes);

/// nullopt: this is no base64. Padding may be left out.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace sidecar
