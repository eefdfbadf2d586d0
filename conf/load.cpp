#include "conf/load.hpp"

#include <fmt/format.h>

#include "conf/sources.hpp"

namespace conf {
namespace {

std::string all_of(const std::vector<problem>& problems) {
    std::string text;
    for (const auto& one : problems) text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", one.where, one.what);
    return text;
}

settings only_one(std::vector<source> all, const std::string& file) {
    if (all.size() > 1 || !all.front().name.empty())
        throw invalid{{{file, "sources: are not meant here; one table is expected"}}};
    return std::move(all.front().settings);
}

}  // namespace

invalid::invalid(std::vector<problem> problems)
    : std::runtime_error{all_of(problems)}, problems_{std::move(problems)} {}

settings load(const std::string& file, const environment& env, const std::vector<std::string>& overrides) {
    return only_one(load_sources(file, env, overrides), file);
}

settings load_text(std::string_view text, const std::string& name, const environment& env,
                   const std::vector<std::string>& overrides) {
    return only_one(load_sources_text(text, name, env, overrides), name);
}

}  // namespace conf
