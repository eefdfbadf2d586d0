#include "conf/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "conf/fields.hpp"
#include "conf/files.hpp"
#include "conf/loader.hpp"
#include "conf/url.hpp"

namespace conf {
namespace {

constexpr std::size_t largest_file = 1024 * 1024;

node parse(std::string_view text, const std::string& name) {
    if (text.size() > largest_file) throw invalid{{{name, fmt::format("is larger than {} bytes", largest_file)}}};
    try {
        return parse_yaml(text);
    } catch (const yaml_error& e) {
        const auto where = e.at.line > 0 ? fmt::format("{}:{}:{}", name, e.at.line, e.at.column) : name;
        throw invalid{{{where, printable(e.what())}}};
    }
}

/// Equal for two that are the same table: see same_table. Empty: there is no telling.
std::string table_of(const database& d) {
    url where;
    try {
        where = parse_url(d.url);
    } catch (const wrong_value&) {
        return {};
    }
    if (where.scheme == "mariadb") where.scheme = "mysql";
    if (where.scheme == "postgres") where.scheme = "postgresql";
    std::transform(where.host.begin(), where.host.end(), where.host.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    auto path = where.path;
    auto table = d.table;
    if (where.scheme == "mysql") {  // its schemas are its databases
        if (table.find('.') == std::string::npos) table = fmt::format("{}.{}", where.database(), table);
        path.clear();
    }
    return fmt::format("{}://{}:{}{} {}", where.scheme, where.host, where.port, path, table);
}

/// What only all of them together can be asked.
void compare(loader& visitor, const settings& top, const std::vector<source>& all) {
    std::map<std::string, std::size_t> names, tables;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto path = fmt::format("sources[{}]", i);
        const auto name = path + ".name", url = path + ".database.url", table = path + ".database.table";
        const bool new_name = all[i].name.empty() || names.emplace(all[i].name, i).second;
        visitor.rule({name}, new_name, "is the name of another source, too");

        const auto key = table_of(all[i].settings.database);
        if (key.empty()) continue;
        const auto [first, new_table] = tables.emplace(key, i);
        visitor.rule({table, url, path}, new_table,
                     fmt::format("is the table of sources[{}], too: each table is relayed once", first->second));
    }
    const auto& shared = top.database.url;
    const bool is_used =
        std::any_of(all.begin(), all.end(), [&](const source& one) { return one.settings.database.url == shared; });
    visitor.rule({"database.url"}, shared.empty() || is_used,
                 "is the database of no source, as each names another: leave it out, or make it a source");
}

std::vector<source> load_document(const node& document, const std::string& name, const environment& env,
                                  const std::vector<std::string>& overrides) {
    settings top;
    std::vector<source> all;
    const auto texts = sort_texts(env, overrides);
    loader visitor{name, texts};
    visitor.document(document, [&] {
        if (!visitor.has_items("sources")) {
            describe(visitor, top);
            visitor.list("sources", all, [] { return source{}; });
            return;
        }
        visitor.for_heirs([&] { describe_source(visitor, top); });
        describe_process(visitor, top);
        visitor.heirs("sources", all, source{{}, top});
        compare(visitor, top, all);
    });

    auto problems = visitor.problems();
    problems.insert(problems.end(), texts.problems.begin(), texts.problems.end());
    if (!problems.empty()) throw invalid{std::move(problems)};
    if (all.empty()) all.push_back({{}, std::move(top)});
    return all;
}

}  // namespace

bool same_table(const database& one, const database& other) {
    const auto table = table_of(one);
    return !table.empty() && table == table_of(other);
}

std::vector<source> load_sources(const std::string& file, const environment& env,
                                 const std::vector<std::string>& overrides) {
    if (file.empty()) return load_document({}, {}, env, overrides);
    try {
        return load_sources_text(read_file(file, largest_file), file, env, overrides);
    } catch (const unreadable& e) {
        throw invalid{{{file, e.what()}}};
    }
}

std::vector<source> load_sources_text(std::string_view text, const std::string& name, const environment& env,
                                      const std::vector<std::string>& overrides) {
    return load_document(parse(text, name), name, env, overrides);
}

}  // namespace conf
