#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

#include "conf/fields.hpp"
#include "conf/load.hpp"
#include "conf/sources.hpp"
#include "conf_testing.hpp"

using conf_testing::content_of;
using conf_testing::reference_file;

namespace {

/// A visitor that collects every path, also those within lists: retry.routes[].initial.
struct all_paths {
    std::set<std::string> paths;
    std::string prefix{};

    template <class Visit>
    void section(std::string_view name, Visit visit) {
        const auto outer = prefix;
        prefix += std::string{name} + '.';
        visit();
        prefix = outer;
    }
    void add(std::string_view name) { paths.insert(prefix + std::string{name}); }
    template <class T, class... Checks>
    void field(std::string_view name, T&, const Checks&...) {
        add(name);
    }
    void secret(std::string_view name, conf::secret&, std::string&) {
        add(name);
        add(std::string{name} + "_file");
    }
    template <class T>
    void url(std::string_view name, T&, std::initializer_list<std::string_view>) {
        add(name);
    }
    template <class T>
    void urls(std::string_view name, T&, std::initializer_list<std::string_view>) {
        add(name);
    }
    template <class T, class Prototype>
    void list(std::string_view name, std::vector<T>&, Prototype prototype) {
        add(name);
        auto element = prototype();
        section(std::string{name} + "[]", [&] { describe(*this, element); });
    }
    void arguments(std::string_view name, std::vector<conf::argument>&) { add(name); }
    void rule(std::initializer_list<std::string_view>, bool, std::string_view) {}
};

/// The paths of the keys of a YAML text in block style, as far as its lines show them.
std::set<std::string> written_paths(const std::string& yaml) {
    std::set<std::string> paths;
    std::vector<std::pair<std::size_t, std::string>> open;  // indentation and key of the maps around
    std::istringstream lines{yaml};
    for (std::string line; std::getline(lines, line);) {
        const auto start = line.find_first_not_of(" -");
        const auto colon = line.find(':');
        if (start == std::string::npos || line[start] == '#' || colon == std::string::npos || colon < start) continue;
        while (!open.empty() && open.back().first >= start) open.pop_back();
        const bool in_list = line.find("- ") < start || (!open.empty() && open.back().second.ends_with("[]"));
        if (in_list && !open.empty() && !open.back().second.ends_with("[]")) open.back().second += "[]";
        std::string path;
        for (const auto& [indent, key] : open) path += key + '.';
        const auto key = line.substr(start, colon - start);
        paths.insert(path + key);
        open.emplace_back(start, key);
    }
    return paths;
}

/// The reference with its commented examples put in force: "#" directly before a key, or before two spaces.
std::string with_examples(const std::string& reference) {
    std::string text;
    std::istringstream lines{reference};
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with(": []")) continue;
        const auto hash = line.find_first_not_of(' ');
        if (hash != std::string::npos && line[hash] == '#' && hash + 1 < line.size() &&
            (line[hash + 1] != ' ' || line.compare(hash + 1, 2, "  ") == 0))
            line.erase(hash, 1);
        text += line + '\n';
    }
    return text;
}

}  // namespace

TEST_CASE("the reference configuration says exactly the defaults") {
    const auto loaded = conf::load(reference_file(), {}, {});
    conf::settings expected;
    expected.database.url = loaded.database.url;
    expected.broker.urls = loaded.broker.urls;
    CHECK(loaded == expected);
    CHECK_FALSE(loaded.database.url.empty());
}

TEST_CASE("the reference configuration has every setting, also those of its examples") {
    all_paths known;
    conf::settings defaults;
    describe(known, defaults);
    known.add("sources");
    known.add("sources[].name");
    CHECK(known.paths.contains("retry.routes[].exchange"));
    const auto written = written_paths(with_examples(content_of(reference_file())));
    for (const auto& path : known.paths) {
        CAPTURE(path);
        CHECK(written.contains(path));
    }
}

TEST_CASE("the examples of the reference configuration work") {
    const auto all = conf::load_sources_text(with_examples(content_of(reference_file())), "examples", {},
                                             {"webhook.key=k", "management.url=http://h:15672"});
    REQUIRE(all.size() == 2);
    CHECK(all[0].settings.database.table == "orders_outbox");
    CHECK(all[1].settings.relay.lanes == 4);
    const auto& s = all[1].settings;
    CHECK(s.retry_routes.size() == 1);
    CHECK(s.topology.exchanges.size() == 1);
    CHECK(s.topology.queues.size() == 1);
    CHECK(s.topology.bindings.size() == 2);
    CHECK(s.dead_letters.size() == 2);
}
