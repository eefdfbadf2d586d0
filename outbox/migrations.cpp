#include "outbox/migrations.hpp"

#include <algorithm>

namespace outbox {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

std::vector<std::string> statements_of(const std::string& script) {
    std::vector<std::string> statements;
    for (std::size_t at = 0; at < script.size();) {
        const auto end = std::min(script.find(";\n", at), script.size());
        auto statement = script.substr(at, end - at);
        if (statement.find_first_not_of(" \n") != statement.npos) statements.push_back(std::move(statement));
        at = end + 2;
    }
    return statements;
}

}  // namespace outbox
