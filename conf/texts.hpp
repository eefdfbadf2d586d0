#pragma once
// conf/texts.hpp - settings given as plain text: OUTBOX_… variables and --set overrides, sorted by the setting they
// mean.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/load.hpp"

namespace conf {

struct given_text {
    enum class source { variable, override };

    source from = source::variable;
    std::string where;  // as in problem::where
    std::string text;
};

struct given_texts {
    std::map<std::string, std::vector<given_text>> by_path;  // the last one counts
    std::vector<problem> problems;                           // names that mean nothing
};

given_texts sort_texts(const environment& env, const std::vector<std::string>& overrides);

/// How a list is written as plain text: "a, b" is a and b. What stands between commas may be empty.
std::vector<std::string> split_list(const std::string& text);

/// The variable for a setting: retry.initial is OUTBOX_RETRY_INITIAL.
std::string variable_of(std::string_view path);

}  // namespace conf
