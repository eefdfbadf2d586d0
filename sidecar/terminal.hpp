#pragma once
// sidecar/terminal.hpp - what is shown to people: tables that fit, ages, and progress on one line.

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace sidecar {

/// The width of the terminal behind the file descriptor; 0 when it is no terminal: there, lines are not cut.
std::size_t terminal_width(int descriptor);

/// Rows of cells. Columns line up; the last one wraps at `width` (0: never). Line breaks in the last cell are kept.
/// Cells are made printable (sidecar/log.hpp).
class table {
  public:
    enum class align { left, right };
    explicit table(std::vector<align> columns) : columns_(std::move(columns)) {}

    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    std::string print(std::size_t width, std::size_t indent = 0) const;

  private:
    std::vector<align> columns_;
    std::vector<std::vector<std::string>> rows_;
};

/// A column of a list with one line for each row.
struct list_column {
    std::string header;
    table::align align = table::align::left;
    std::size_t least = 0;  // it is never cut to less than that
    int dropped = 0;        // where there is no room: the highest first; 0: never
};

/// Lines under their headers, none longer than `width` (0: as long as they are): first the last columns are cut, as far
/// as they may be; if that is not enough, columns are left out. Cells are made printable.
std::string print_list(std::vector<list_column> columns, std::vector<std::vector<std::string>> rows, std::size_t width);

/// "1,234,567"
std::string grouped(std::uint64_t number);

/// "3d 4h", "2m 5s", "0.3s": two units at most.
std::string rough(std::chrono::milliseconds time);

/// Asks on standard error, and reads the answer from standard input: whether it is yes.
bool confirmed(std::string_view question);

/// One line that is drawn again and again on a terminal; nothing anywhere else.
class progress_bar {
  public:
    /// Draws on standard error, if that is a terminal. `total` of 0: unknown.
    explicit progress_bar(std::uint64_t total);
    ~progress_bar();  // leaves an empty line
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;

    void show(std::uint64_t done, std::string_view what);

  private:
    std::uint64_t total_;
    std::size_t width_;
    std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace sidecar
