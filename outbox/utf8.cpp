#include "outbox/utf8.hpp"

#include <algorithm>

namespace outbox {

std::size_t first_character(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;

    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (text.size() < length) return 0;

    // Where overlong forms, surrogates and what lies beyond U+10FFFF are kept out.
    const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) return 0;
    for (std::size_t at = 2; at < length; ++at) {
        if (byte(at) < 0x80 || byte(at) > 0xBF) return 0;
    }
    return length;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = first_character(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string fitting_text(std::string_view any, const text_room& room) {
    std::string text;
    for (std::size_t characters = 0; !any.empty() && characters < room.characters; ++characters) {
        const auto length = first_character(any);
        const bool known = length > 0 && length <= room.widest && (room.nul || any.front() != '\0');
        const auto piece = known ? any.substr(0, length) : std::string_view("?");
        if (text.size() + piece.size() > room.bytes) break;
        text += piece;
        any.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return text;
}

}  // namespace outbox
