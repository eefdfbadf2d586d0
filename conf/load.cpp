#include "conf/load.hpp"

#include <fmt/format.h>

#include "conf/fields.hpp"
#include "conf/files.hpp"
#include "conf/loader.hpp"

namespace conf {
namespace {

constexpr std::size_t largest_file = 1024 * 1024;

std::string all_of(const std::vector<problem>& problems) {
    std::string text;
    for (const auto& one : problems) text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", one.where, one.what);
    return text;
}

node parse(std::string_view text, const std::string& name) {
    if (text.size() > largest_file) throw invalid{{{name, fmt::format("is larger than {} bytes", largest_file)}}};
    try {
        return parse_yaml(text);
    } catch (const yaml_error& e) {
        const auto where = e.at.line > 0 ? fmt::format("{}:{}:{}", name, e.at.line, e.at.column) : name;
        throw invalid{{{where, printable(e.what())}}};
    }
}

settings load_document(const node& document, const std::string& name, const environment& env,
                       const std::vector<std::string>& overrides) {
    settings loaded;
    const auto texts = sort_texts(env, overrides);
    loader visitor{name, texts};
    visitor.document(document, [&] { describe(visitor, loaded); });

    auto problems = visitor.problems();
    problems.insert(problems.end(), texts.problems.begin(), texts.problems.end());
    if (!problems.empty()) throw invalid{std::move(problems)};
    return loaded;
}

}  // namespace

invalid::invalid(std::vector<problem> problems)
    : std::runtime_error{all_of(problems)}, problems_{std::move(problems)} {}

settings load(const std::string& file, const environment& env, const std::vector<std::string>& overrides) {
    if (file.empty()) return load_document({}, {}, env, overrides);
    try {
        return load_text(read_file(file, largest_file), file, env, overrides);
    } catch (const unreadable& e) {
        throw invalid{{{file, e.what()}}};
    }
}

settings load_text(std::string_view text, const std::string& name, const environment& env,
                   const std::vector<std::string>& overrides) {
    return load_document(parse(text, name), name, env, overrides);
}

}  // namespace conf
