#include "conf/texts.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "conf/fields.hpp"

namespace conf {
namespace {

constexpr std::string_view prefix = "OUTBOX_";

/// Visits the descriptions for the paths alone.
class path_collector {
  public:
    std::vector<setting_name> names;

    template <class Visit>
    void section(std::string_view name, Visit visit) {
        const auto outer = path_;
        path_ += std::string{name} + '.';
        visit();
        path_ = outer;
    }
    template <class T, class... Checks>
    void field(std::string_view name, const T&, const Checks&...) {
        const auto path = path_ + std::string{name};
        names.push_back({path, variable_of(path)});
    }
    void secret(std::string_view name, const conf::secret& member, const std::string& file) {
        field(name, member);
        field(std::string{name} + "_file", file);
    }
    void url(std::string_view name, const std::string& member, std::initializer_list<std::string_view>) {
        field(name, member);
    }
    void urls(std::string_view name, const std::vector<std::string>& members, std::initializer_list<std::string_view>) {
        field(name, members);
    }
    template <class T, class Prototype>
    void list(std::string_view, const std::vector<T>&, const Prototype&) {}
    void arguments(std::string_view, const std::vector<argument>&) {}
    void rule(std::initializer_list<std::string_view>, bool, std::string_view) {}

  private:
    std::string path_;
};

/// Kubernetes gives every pod variables for each Service of its namespace; for one called "outbox" or
/// "outbox-sidecar" they look like ours: OUTBOX_SERVICE_HOST, OUTBOX_PORT=tcp://…, OUTBOX_PORT_80_TCP_ADDR.
bool is_from_kubernetes(std::string_view name, std::string_view value) {
    if (name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos) return true;
    const auto port = name.find("_PORT");
    if (port == std::string_view::npos) return false;
    const auto has = [&](std::string_view part) { return name.find(part, port) != std::string_view::npos; };
    return value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://") || has("_TCP_") ||
           has("_UDP_") || has("_SCTP_");
}

bool is_foreign(const std::string& name, const std::string& value) {
    return !name.starts_with(prefix) || name.starts_with("OUTBOX_TEST_") || name == "OUTBOX_CONFIG" ||
           name == "OUTBOX_SANITIZE" || is_from_kubernetes(name, value);
}

std::string suggestion(const std::string& name) { return name.empty() ? "" : "; did you mean " + name + "?"; }

void add_variables(const environment& env, const std::vector<setting_name>& names, given_texts& all) {
    std::vector<std::string> known;
    for (const auto& name : names) known.push_back(name.variable);

    for (const auto& [variable, text] : env) {
        const auto found = std::find(known.begin(), known.end(), variable);
        if (found != known.end())
            all.by_path[names[static_cast<std::size_t>(found - known.begin())].path].push_back(
                {given_text::source::variable, variable, text});
        else if (!is_foreign(variable, text))
            all.problems.push_back({printable(variable), "names no setting that a variable can hold" +
                                                             suggestion(nearest(variable, known))});
    }
}

void add_overrides(const std::vector<std::string>& overrides, const std::vector<setting_name>& names,
                   given_texts& all) {
    std::vector<std::string> known;
    for (const auto& name : names) known.push_back(name.path);

    for (const auto& one : overrides) {
        const auto equals = one.find('=');
        const auto path = one.substr(0, equals);
        if (equals == std::string::npos)
            all.problems.push_back({"--set", fmt::format("expected setting=value, found {}", in_quotes(one))});
        else if (std::find(known.begin(), known.end(), path) != known.end())
            all.by_path[path].push_back({given_text::source::override, "--set " + path, one.substr(equals + 1)});
        else
            all.problems.push_back({"--set", fmt::format("{} names no setting that can be given here{}",
                                                         in_quotes(path), suggestion(nearest(path, known)))});
    }
}

}  // namespace

std::vector<setting_name> setting_names() {
    path_collector collector;
    settings defaults;
    describe(collector, defaults);
    return collector.names;
}

std::string variable_of(std::string_view path) {
    std::string variable{prefix};
    for (const char c : path)
        variable += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return variable;
}

given_texts sort_texts(const environment& env, const std::vector<std::string>& overrides) {
    given_texts all;
    const auto names = setting_names();
    add_variables(env, names, all);
    add_overrides(overrides, names, all);
    return all;
}

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    while (from <= text.size()) {
        const auto comma = std::min(text.find(',', from), text.size());
        auto part = text.substr(from, comma - from);
        part.erase(0, part.find_first_not_of(" \t"));
        part.erase(part.find_last_not_of(" \t") + 1);
        parts.push_back(std::move(part));
        from = comma + 1;
    }
    return parts;
}

environment process_environment() {
    environment ours;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view variable = *entry;
        const auto equals = variable.find('=');
        if (variable.starts_with(prefix) && equals != std::string_view::npos)
            ours.emplace(variable.substr(0, equals), variable.substr(equals + 1));
    }
    return ours;
}

}  // namespace conf
