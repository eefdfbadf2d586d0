#pragma once
// sidecar/version.hpp - what this build is.

#include <string_view>

namespace sidecar {

extern const std::string_view version;  // "0.1.0"

}  // namespace sidecar
