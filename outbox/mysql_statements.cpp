#include "outbox/mysql_statements.hpp"

#include <fmt/format.h>

#include <bit>

namespace outbox {

std::size_t padded(std::size_t count) { return std::bit_ceil(count); }

std::string question_marks(std::size_t count) {
    std::string marks = "?";
    for (std::size_t i = 1; i < count; ++i) marks += ",?";
    return marks;
}

std::string as_bytes(const std::string& text) { return fmt::format("CAST(CONVERT({} USING utf8mb4) AS BINARY)", text); }

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) text += fmt::format("{:02X}", static_cast<unsigned char>(c));
    return text;
}

text_room room_in(const mysql_column& column) {
    text_room room;
    room.characters = static_cast<std::size_t>(column.length);
    if (column.type.ends_with("text") || column.type.ends_with("blob")) room.bytes = room.characters;
    if (column.charset == "utf8" || column.charset == "utf8mb3")
        room.widest = 3;
    else if (!column.charset.empty() && column.charset != "utf8mb4")
        room.widest = 1;
    return room;
}

}  // namespace outbox
