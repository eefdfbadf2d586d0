#pragma once
// relay/utf8.hpp - UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.

#include <cstddef>
#include <string_view>

namespace relay {

/// How many bytes the first character of `text` takes; 0 when `text` is empty or does not begin with a whole,
/// well-formed character.
std::size_t first_character(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace relay
