#pragma once
// relay/glob.hpp - patterns of routes.

#include <string_view>

namespace relay {

/// True when the pattern matches the whole text: `*` stands for any run of characters, also an empty one, `?` for
/// exactly one; everything else for itself, byte by byte. There is no escape: neither `*` nor `?` can be asked for
/// alone. A character is one of UTF-8; a byte that is not part of one counts as a character. Pure; any thread. Takes at
/// most pattern × text steps and no memory.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace relay
