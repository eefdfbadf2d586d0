#pragma once
// outbox/utf8.hpp - UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace outbox {

/// How many bytes the first character of `text` takes; 0 when `text` is empty or does not begin with a whole,
/// well-formed character.
std::size_t first_character(std::string_view text);

bool is_utf8(std::string_view text);

/// What a column for text can hold.
struct text_room {
    std::size_t characters = 0;
    std::size_t bytes = std::numeric_limits<std::size_t>::max();
    std::size_t widest = 4;  // bytes that a character of the column's charset may take in UTF-8
    bool nul = true;         // whether NUL is a character there
};

/// As much of `any` as there is room for, as UTF-8. What is no text in it, or not in the column's charset, is a "?".
std::string fitting_text(std::string_view any, const text_room& room);

}  // namespace outbox
