#pragma once
// outbox/mysql_statements.hpp - how the statements of mysql_*.cpp are put together and tried again.

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/deadlock.hpp"
#include "outbox/mysql_schema.hpp"
#include "outbox/mysql_session.hpp"
#include "outbox/utf8.hpp"

namespace outbox {

inline constexpr std::size_t rows_per_statement = 512;

/// Lists of arguments are padded to a power of two by repeating the last, so that few statements serve all lengths.
std::size_t padded(std::size_t count);

/// "?,?,?"
std::string question_marks(std::size_t count);

/// An expression for text as its bytes in UTF-8, whatever its charset and collation; and an argument that it is
/// compared with: as hex, for UNHEX(?), so that no byte is refused.
std::string as_bytes(const std::string& text);
std::string hex(std::string_view bytes);

/// What a column's type and charset leave of a text.
text_room room_in(const mysql_column& column);

/// Calls `each` with at most `size` rows at a time.
template <class Row, class Each>
void in_chunks(std::span<Row> rows, std::size_t size, Each&& each) {
    for (std::size_t at = 0; at < rows.size(); at += size) each(rows.subspan(at, std::min(size, rows.size() - at)));
}

}  // namespace outbox
