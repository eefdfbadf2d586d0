#pragma once
// relay/digest.hpp - what tells bytes from all others. Pure; any thread.

#include <string>
#include <string_view>

namespace relay {

/// "sha256:" and the SHA-256 in 64 hexadecimal digits.
std::string sha256_of(std::string_view bytes);

}  // namespace relay
