#include "sidecar/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <sstream>

#include "sidecar/log.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest_column = 20;  // narrower than that, wrapping helps nobody

// Characters, which for the texts shown here are as good as columns.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string shortened(const std::string& text, std::size_t width) {
    if (width_of(text) <= width) return text;
    std::size_t characters = 0, at = 0;
    for (; at < text.size(); ++at) {
        const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (starts && ++characters == width) break;
    }
    return text.substr(0, at) + "…";
}

std::string padding(std::size_t size) { return std::string(size, ' '); }

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
    std::vector<std::string> lines;
    std::istringstream paragraphs(text);
    for (std::string paragraph; std::getline(paragraphs, paragraph);) {
        std::string line;
        std::istringstream words(printable(paragraph));
        for (std::string word; words >> word;) {
            if (!line.empty() && width > 0 && width_of(line) + 1 + width_of(word) > width)
                lines.push_back(std::exchange(line, {}));
            line += line.empty() ? word : ' ' + word;
        }
        lines.push_back(line);
    }
    if (lines.empty()) lines.emplace_back();
    return lines;
}

}  // namespace

std::size_t terminal_width(int descriptor) {
    winsize size{};
    if (isatty(descriptor) == 0) return 0;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

std::string table::print(std::size_t width, std::size_t indent) const {
    const std::size_t last = columns_.size() - 1;
    std::vector<std::size_t> widths(columns_.size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < last; ++i) widths[i] = std::max(widths[i], width_of(printable(row[i])));
    }
    std::size_t before = indent;
    for (std::size_t i = 0; i < last; ++i) before += widths[i] + gap;
    const std::size_t room = width == 0 ? 0 : std::max(width - std::min(width, before), narrowest_column);

    std::string out;
    for (const auto& row : rows_) {
        std::string line = padding(indent);
        for (std::size_t i = 0; i < last; ++i) {
            const auto cell = printable(row[i]);
            const auto fill = padding(widths[i] - width_of(cell));
            line += (columns_[i] == align::right ? fill + cell : cell + fill) + padding(gap);
        }
        for (const auto& part : wrapped(row[last], room)) {
            line += part;
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + '\n';
            line = padding(before);
        }
    }
    return out;
}

std::string print_list(std::vector<list_column> columns, std::vector<std::vector<std::string>> rows,
                       std::size_t width) {
    std::vector<std::size_t> widths;
    for (const auto& column : columns) widths.push_back(width_of(column.header));
    for (auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = printable(row[i]);
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    std::vector<bool> shown(columns.size(), true);
    const auto sum = [&](auto&& of) {
        std::size_t all = 0;
        for (std::size_t i = 0; i < columns.size(); ++i) all += shown[i] ? of(i) + gap : 0;
        return all - gap;
    };
    const auto least = [&](std::size_t i) { return std::min(widths[i], columns[i].least); };
    while (width > 0 && sum(least) > width) {
        std::size_t first = 0;
        for (std::size_t i = 1; i < columns.size(); ++i) {
            if (shown[i] && (!shown[first] || columns[i].dropped > columns[first].dropped)) first = i;
        }
        if (columns[first].dropped == 0) break;
        shown[first] = false;
    }
    const auto all = sum([&](std::size_t i) { return widths[i]; });
    std::size_t excess = width == 0 || all <= width ? 0 : all - width;
    for (std::size_t i = columns.size(); i-- > 0;) {
        if (!shown[i]) continue;
        const auto less = std::min(excess, widths[i] - least(i));
        widths[i] -= less;
        excess -= less;
    }

    std::vector<std::string> headers;
    for (const auto& column : columns) headers.push_back(column.header);
    rows.insert(rows.begin(), std::move(headers));
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (!shown[i]) continue;
            const auto cell = shortened(row[i], widths[i]);
            const auto fill = padding(widths[i] - width_of(cell));
            line += (columns[i].align == table::align::right ? fill + cell : cell + fill) + padding(gap);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

std::string rough(std::chrono::milliseconds time) {
    const auto count = [&](std::chrono::milliseconds unit) { return time / unit; };
    const auto rest = [&](std::chrono::milliseconds unit, std::chrono::milliseconds smaller) {
        return time % unit / smaller;
    };
    if (time < 0ms) return "-" + rough(-time);
    if (time < 60s) return fmt::format("{:.1f}s", static_cast<double>(time.count()) / 1000);
    if (time < 1h) return fmt::format("{}m {}s", count(1min), rest(1min, 1s));
    if (time < 24h) return fmt::format("{}h {}m", count(1h), rest(1h, 1min));
    return fmt::format("{}d {}h", count(24h), rest(24h, 1h));
}

bool confirmed(std::string_view question) {
    std::cerr << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

progress_bar::progress_bar(std::uint64_t total) : total_(total), width_(terminal_width(STDERR_FILENO)) {}

progress_bar::~progress_bar() {
    if (drawn_ != std::chrono::steady_clock::time_point{}) std::cerr << "\r\x1b[K" << std::flush;
}

void progress_bar::show(std::uint64_t done, std::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    if (width_ == 0 || now - drawn_ < 100ms) return;
    drawn_ = now;
    std::string text = fmt::format("{} {}", grouped(done), what);
    if (total_ > 0) {
        // What counts as old grows while it is being deleted.
        const auto total = std::max(total_, done);
        constexpr std::size_t length = 30;
        const auto filled = static_cast<std::size_t>(done * length / total);
        text = fmt::format("[{:<{}}] {:3}%  {} of {} {}", std::string(filled, '#'), length, done * 100 / total,
                           grouped(done), grouped(total), what);
    }
    std::cerr << "\r\x1b[K" << text.substr(0, width_ - 1) << std::flush;
}

}  // namespace sidecar
