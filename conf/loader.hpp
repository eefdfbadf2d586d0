#pragma once
// conf/loader.hpp - the visitor of conf/fields.hpp that fills the settings in and collects everything that is wrong.

#include <fmt/format.h>

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conf/checks.hpp"
#include "conf/load.hpp"
#include "conf/texts.hpp"
#include "conf/values.hpp"
#include "conf/yaml.hpp"

namespace conf {

class loader {
  public:
    /// `file` stands for the document in problems; empty: there is none. The arguments must outlive the loader.
    loader(const std::string& file, const given_texts& texts) : file_{file}, texts_{texts} {}

    /// What was found so far: in the order of the file, then variables, then overrides.
    std::vector<problem> problems() const;

    /// Visits the whole document.
    template <class Visit>
    void document(const node& root, Visit visit) {
        enter({}, &root, {});
        visit();
        leave();
    }

    template <class Visit>
    void section(std::string_view name, Visit visit) {
        const auto path = path_of(name);
        const node* child = take(name);
        enter(path, child, child != nullptr ? child->key_at : frames_.back().at);
        visit();
        leave();
    }

    template <class T, class... Checks>
    void field(std::string_view name, T& member, const Checks&... checks) {
        for (const auto& value : given(name)) {
            attempt(value, [&] {
                T read = member;
                from_text(text_of(value), read);
                (demand(checks(read)), ...);
                member = std::move(read);
            });
        }
    }

    void secret(std::string_view name, conf::secret& member, std::string& file);
    void url(std::string_view name, std::string& member, std::initializer_list<std::string_view> schemes);
    void urls(std::string_view name, std::vector<std::string>& members,
              std::initializer_list<std::string_view> schemes);

    template <class T, class Prototype>
    void list(std::string_view name, std::vector<T>& members, Prototype prototype) {
        const auto [path, all] = items(name);
        members.clear();
        for (const node* item : all) {
            T member = prototype();
            enter(fmt::format("{}[{}]", path, members.size()), item, item->at);
            describe(*this, member);
            leave();
            members.push_back(std::move(member));
        }
    }

    /// Whether there is a list of this name in the whole document, with something in it.
    bool has_items(std::string_view name) const;

    /// What `visit` describes is not used as it is: it is only what heirs start from, and need not be whole.
    template <class Visit>
    void for_heirs(Visit visit) {
        for_heirs_ = true;
        visit();
        for_heirs_ = false;
    }

    /// A list of maps in the document, each of which starts as `heir`: with what the same document's for_heirs() has
    /// brought. Lists are taken whole; of what heirs take over, a rule that it breaks is told where it stands.
    template <class T>
    void heirs(std::string_view name, std::vector<T>& members, const T& heir) {
        const auto [path, all] = items(name);
        for (const node* item : all) {
            if (members.size() == most_heirs) {
                report({origin::kind::file, item->at, {}}, path, fmt::format("at most {} are possible", most_heirs));
                break;
            }
            T member = heir;
            heir_ = fmt::format("{}[{}]", path, members.size());
            origins_[heir_] = {origin::kind::file, item->at, {}};
            enter(heir_, item, item->at);
            describe(*this, member);
            leave();
            members.push_back(std::move(member));
        }
        heir_.clear();
    }

    void arguments(std::string_view name, std::vector<argument>& members);
    void rule(std::initializer_list<std::string_view> names, bool holds, std::string_view what);

  private:
    static constexpr std::size_t most_heirs = 64;

    /// Where a value comes from. Ordered as problems are reported.
    struct origin {
        enum class kind { file, variable, override };

        kind from = kind::file;
        place at;           // in the file
        std::string where;  // otherwise: the variable, the override
    };

    struct given_value {
        std::string path;
        origin from;
        const node* in_file = nullptr;
        std::string text;  // when not in the file
    };

    struct open_map {
        std::string path;
        const node* map = nullptr;  // nullptr: the section is not in the file
        place at;
        std::vector<std::string> known;  // the names that the description has asked for
    };

    struct finding {
        origin from;
        std::string what;
    };

    struct found_list {
        std::string path;
        std::vector<const node*> items;
    };

    std::string path_of(std::string_view name) const;
    std::string inherited_path(const std::string& path) const;
    void enter(const std::string& path, const node* value, place at);
    void leave();
    const node* take(std::string_view name);
    found_list items(std::string_view name);
    std::vector<given_value> given(std::string_view name);
    const std::string& text_of(const given_value& one) const;

    template <class Attempt>
    void attempt(const given_value& one, Attempt read) {
        try {
            origins_[one.path] = one.from;
            read();
        } catch (const wrong_value& wrong) {
            report(one.from, one.path, fmt::format("expected {}, found {}", wrong.what(), found(one)));
        }
    }

    static void demand(const objection& objects) {
        if (objects) throw wrong_value{*objects};
    }

    std::string found(const given_value& one) const;
    void report(const origin& from, const std::string& path, const std::string& what);

    const std::string& file_;
    const given_texts& texts_;
    std::vector<open_map> frames_;
    std::vector<finding> findings_;
    std::map<std::string, origin> origins_;  // of every setting given, by path
    std::set<std::string> faulty_;           // paths
    bool for_heirs_ = false;
    std::string heir_;                         // the path of the one that is being read; empty: none is
    std::map<std::string, found_list> lists_;  // for heirs, by path
};

}  // namespace conf
