#include "conf/loader.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "conf/files.hpp"
#include "conf/typed.hpp"

namespace conf {
namespace {

constexpr std::size_t longest_password = 64 * 1024;

std::string_view name_of(node::kind kind) {
    switch (kind) {
        case node::kind::null: return "nothing";
        case node::kind::scalar: return "a single value";
        case node::kind::list: return "a list";
        case node::kind::map: break;
    }
    return "a map";
}

/// Password files are made by editors and `echo`, which end the line.
std::string read_password(const std::string& file) {
    auto password = read_file(file, longest_password);
    if (password.ends_with('\n')) password.pop_back();
    if (password.ends_with('\r')) password.pop_back();
    if (password.empty()) throw unreadable{"is empty"};
    return password;
}

std::vector<std::string> texts_of(const node& list) {
    std::vector<std::string> texts;
    for (const auto& item : list.children) texts.push_back(item.text);
    return texts;
}

bool is_in(const std::string& name, const std::vector<std::string>& known) {
    return std::find(known.begin(), known.end(), name) != known.end();
}

/// What an unknown key may have meant: one of its section, or, in the wrong place, one of another.
std::string hint_for(const std::string& key, const std::vector<std::string>& known) {
    if (const auto near = nearest(key, known); !near.empty()) return fmt::format("; did you mean {}?", near);
    for (const auto& name : setting_names())
        if (name.path.ends_with(fmt::format(".{}", key))) return fmt::format("; it is known as {}", name.path);
    return {};
}

}  // namespace

std::vector<problem> loader::problems() const {
    auto sorted = findings_;
    const auto rank = [](const finding& f) { return std::tuple{f.from.from, f.from.at.line, f.from.at.column}; };
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const finding& a, const finding& b) { return rank(a) < rank(b); });
    std::vector<problem> all;
    std::set<std::pair<std::string, std::string>> told;  // what several take over is wrong in each of them
    for (const auto& [from, what] : sorted) {
        const bool in_file = from.from == origin::kind::file && from.at.line > 0;
        const auto where = in_file ? fmt::format("{}:{}:{}", file_, from.at.line, from.at.column) : from.where;
        if (told.emplace(where, what).second) all.push_back({where, what});
    }
    return all;
}

std::string loader::path_of(std::string_view name) const {
    const auto& section = frames_.back().path;
    return section.empty() ? std::string{name} : fmt::format("{}.{}", section, name);
}

/// Where an heir's setting stands for all of them; empty: nowhere, as no heir is being read.
std::string loader::inherited_path(const std::string& path) const {
    const bool is_heirs = !heir_.empty() && path.starts_with(heir_ + '.');
    return is_heirs ? path.substr(heir_.size() + 1) : std::string{};
}

bool loader::has_items(std::string_view name) const {
    const node* map = frames_.front().map;
    return map != nullptr && std::any_of(map->children.begin(), map->children.end(), [&](const node& child) {
               return child.key == name && child.what == node::kind::list && !child.children.empty();
           });
}

void loader::enter(const std::string& path, const node* value, place at) {
    // An empty section is what remains when all of its lines are commented out.
    const bool usable = value != nullptr && value->what == node::kind::map;
    if (value != nullptr && !usable && value->what != node::kind::null)
        report({origin::kind::file, value->at, {}}, path,
               fmt::format("expected a map (name: value), found {}", name_of(value->what)));
    frames_.push_back({path, usable ? value : nullptr, at, {}});
}

void loader::leave() {
    if (const node* map = frames_.back().map) {
        std::map<std::string_view, place> seen;
        for (const auto& child : map->children) {
            const origin here{origin::kind::file, child.key_at, {}};
            const auto path = path_of(printable(child.key));
            const auto [first, is_first] = seen.emplace(child.key, child.key_at);
            if (!is_first)
                report(here, path, fmt::format("is given twice, first in line {}", first->second.line));
            else if (const auto& known = frames_.back().known; !is_in(child.key, known))
                report(here, path,
                       frames_.back().path == heir_ && is_in(child.key, frames_.front().known)
                           ? "belongs to the whole process: it stands at the top, for all"
                           : "unknown key" + hint_for(child.key, known));
        }
    }
    frames_.pop_back();
}

const node* loader::take(std::string_view name) {
    auto& frame = frames_.back();
    frame.known.emplace_back(name);
    if (frame.map == nullptr) return nullptr;
    const auto& children = frame.map->children;
    const auto found = std::find_if(children.begin(), children.end(), [&](const node& n) { return n.key == name; });
    return found == children.end() ? nullptr : &*found;
}

loader::found_list loader::items(std::string_view name) {
    found_list all{path_of(name), {}};
    const node* child = take(name);
    if (child == nullptr || child->what == node::kind::null) {
        // Read once more for each heir, as what its elements leave out may be the heir's own.
        const auto inherited = lists_.find(inherited_path(all.path));
        return inherited == lists_.end() ? all : inherited->second;
    }
    if (child->what != node::kind::list)
        report({origin::kind::file, child->at, {}}, all.path,
               fmt::format("expected a list of maps, found {}", name_of(child->what)));
    if (child->what == node::kind::list)
        for (const auto& item : child->children) all.items.push_back(&item);
    if (for_heirs_) lists_[all.path] = all;
    return all;
}

std::vector<loader::given_value> loader::given(std::string_view name) {
    std::vector<given_value> all;
    const auto path = path_of(name);
    if (const node* child = take(name)) {
        const origin here{origin::kind::file, child->at, {}};
        all.push_back({path, here, child, {}});
    }
    if (const auto given = texts_.by_path.find(path); given != texts_.by_path.end()) {
        for (const auto& one : given->second) {
            const auto kind =
                one.from == given_text::source::variable ? origin::kind::variable : origin::kind::override;
            const origin from{kind, {}, one.where};
            all.push_back({path, from, nullptr, one.text});
        }
    }
    return all;
}

const std::string& loader::text_of(const given_value& one) const {
    if (one.in_file == nullptr) return one.text;
    if (one.in_file->what == node::kind::null) throw wrong_value{"a value (or leave the line out for the default)"};
    if (one.in_file->what != node::kind::scalar) throw wrong_value{"a single value"};
    return one.in_file->text;
}

std::string loader::found(const given_value& one) const {
    if (one.in_file != nullptr && one.in_file->what != node::kind::scalar)
        return std::string{name_of(one.in_file->what)};
    return in_quotes(one.in_file == nullptr ? one.text : one.in_file->text);
}

void loader::report(const origin& from, const std::string& path, const std::string& what) {
    faulty_.insert(path);
    findings_.push_back({from, path.empty() ? what : fmt::format("{}: {}", path, what)});
}

void loader::secret(std::string_view name, conf::secret& member, std::string& file) {
    const auto file_name = std::string{name} + "_file";
    const auto values = given(name);
    if (values.empty() && given(file_name).empty()) return;
    // Either of them stands instead of both that an heir would take over.
    member.value.clear();
    file.clear();
    for (const auto& value : values) {
        const bool is_text = value.in_file == nullptr || value.in_file->what == node::kind::scalar;
        origins_[value.path] = value.from;
        if (is_text)
            member.value = text_of(value);
        else
            report(value.from, value.path, fmt::format("expected a text, found {}", found(value)));
    }
    field(file_name, file);
    if (file.empty()) return;
    const auto path = path_of(file_name);
    if (!member.value.empty())
        return report(origins_[path], path, fmt::format("{} is given, too; leave one of them out", path_of(name)));
    try {
        member.value = read_password(file);
    } catch (const unreadable& e) {
        report(origins_[path], path, fmt::format("{} {}", in_quotes(file), e.what()));
    }
}

void loader::url(std::string_view name, std::string& member, std::initializer_list<std::string_view> schemes) {
    for (const auto& value : given(name)) {
        attempt(value, [&] {
            const auto& text = text_of(value);
            const auto fault = text.empty() ? std::nullopt : usable_url(text, schemes);
            if (fault) return report(value.from, value.path, *fault);
            member = text;
        });
    }
}

void loader::urls(std::string_view name, std::vector<std::string>& members,
                  std::initializer_list<std::string_view> schemes) {
    for (const auto& value : given(name)) {
        origins_[value.path] = value.from;
        const node* in_file = value.in_file;
        if (in_file != nullptr && in_file->what != node::kind::list) {
            // Not shown: it may well be a url with a password.
            report(value.from, value.path, fmt::format("expected a list [ … ], found {}", name_of(in_file->what)));
            continue;
        }
        auto texts = in_file == nullptr ? split_list(value.text) : texts_of(*in_file);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto fault = usable_url(texts[i], schemes);
            if (!fault) continue;
            auto from = value.from;
            if (in_file != nullptr) from.at = in_file->children[i].at;
            faulty_.insert(value.path);
            report(from, fmt::format("{}[{}]", value.path, i), *fault);
        }
        members = std::move(texts);
    }
}

void loader::arguments(std::string_view name, std::vector<argument>& members) {
    const node* child = take(name);
    if (child == nullptr || child->what == node::kind::null) return;
    if (child->what != node::kind::map)
        return report({origin::kind::file, child->at, {}}, path_of(name),
                      fmt::format("expected a map (name: value), found {}", name_of(child->what)));
    std::set<std::string_view> names;
    for (const auto& entry : child->children) {
        const auto path = fmt::format("{}.{}", path_of(name), printable(entry.key));
        const origin here{origin::kind::file, entry.key_at, {}};
        try {
            if (const auto fault = short_text(entry.key)) throw wrong_value{"a name of " + *fault};
            if (!names.insert(entry.key).second) throw wrong_value{"each name once"};
            // Not `strict`: a character that no UTF-8 has must not stop the start.
            members.push_back(
                {entry.key, to_json(entry).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
        } catch (const wrong_value& wrong) {
            report(here, path, fmt::format("expected {}", wrong.what()));
        }
    }
}

void loader::rule(std::initializer_list<std::string_view> names, bool holds, std::string_view what) {
    if (holds || for_heirs_) return;
    const auto faulty = [&](std::string_view name) {
        const auto path = path_of(name);
        const auto inherited = inherited_path(path);
        return faulty_.contains(path) || (!inherited.empty() && faulty_.contains(inherited));
    };
    if (std::any_of(names.begin(), names.end(), faulty)) return;

    const auto path = path_of(*names.begin());
    for (const auto name : names) {
        if (const auto given = origins_.find(path_of(name)); given != origins_.end())
            return report(given->second, path, std::string{what});
    }
    for (const auto name : names) {
        if (const auto given = origins_.find(inherited_path(path_of(name))); given != origins_.end())
            return report(given->second, inherited_path(path), fmt::format("{} (for {})", what, heir_));
    }
    report({origin::kind::file, frames_.back().at, file_.empty() ? variable_of(path) : file_}, path, std::string{what});
}

}  // namespace conf
