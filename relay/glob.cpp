#include "relay/glob.hpp"

#include <algorithm>
#include <cstddef>

#include "relay/utf8.hpp"

namespace relay {

bool matches(std::string_view pattern, std::string_view text) {
    const auto after_character = [&](std::size_t at) {
        return at + std::max<std::size_t>(1, first_character(text.substr(at)));
    };

    std::size_t p = 0, t = 0;
    // Only the last `*` ever needs another try: what an earlier one could take instead, this one can take as well.
    std::size_t star = pattern.npos, taken = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            taken = t;
        } else if (p < pattern.size() && pattern[p] == '?') {
            ++p;
            t = after_character(t);
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != pattern.npos) {
            p = star + 1;
            t = taken = after_character(taken);
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == pattern.npos;
}

}  // namespace relay
