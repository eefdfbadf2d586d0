#include "sidecar/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace sidecar {
namespace {

using words = std::vector<std::string>;

struct option {
    words names;  // with their dashes
    bool takes_value = false;
    bool takes_file = false;
    words values;  // all that it can be; empty: whatever
    std::string description;
};

/// The program itself (then its name is empty), or one of its commands.
struct part {
    std::string name;
    std::string description;
    std::vector<option> options;
    std::vector<part> commands;
    words values;  // of its argument
};

// CLI11 keeps no list of them.
words values_of(const std::string& command, const std::string& option) {
    if (command == "completion") return {"bash", "zsh", "fish"};
    if (option == "--probe") return {"live", "ready", "startup"};
    if (option == "--side") return {"producer", "consumer"};
    if (option == "--status") return {"delivering", "delivered", "failed", "consumed"};
    return {};
}

std::string first_sentence(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    for (const char* end : {". ", ": ", "; "}) text.resize(std::min(text.size(), text.find(end)));
    if (text.ends_with('.')) text.pop_back();
    return text;
}

part known(const CLI::App& app, bool whole) {
    part result{whole ? "" : app.get_name(), first_sentence(app.get_description()), {}, {}, {}};
    for (const auto* one : app.get_options()) {
        if (one->get_positional()) {
            result.values = values_of(app.get_name(), "");
            continue;
        }
        option found;
        for (const auto& name : one->get_lnames()) found.names.push_back("--" + name);
        for (const auto& name : one->get_snames()) found.names.push_back("-" + name);
        if (!whole && found.names[0] == "--help") continue;  // as everywhere
        found.takes_value = one->get_items_expected_max() > 0 && one->get_type_size_max() > 0;
        found.takes_file = one->get_option_text() == "FILE";
        if (found.takes_value) found.values = values_of(app.get_name(), found.names[0]);
        found.description = first_sentence(one->get_description());
        result.options.push_back(std::move(found));
    }
    for (const auto* one : app.get_subcommands({})) result.commands.push_back(known(*one, false));
    return result;
}

words names_of(const part& one) {
    words all;
    for (const auto& below : one.commands) all.push_back(below.name);
    return all;
}

// ---- bash, and zsh by its own emulation of that ---------------------------------------------------------------------

// What follows an option that takes a value. The options of the program itself are known everywhere.
void bash_values(const part& one, const std::string& command, std::string& out) {
    for (const auto& option : one.options) {
        if (!option.takes_value) continue;
        words patterns;
        for (const auto& name : option.names)
            patterns.push_back(command.empty() ? fmt::format("*' {}'", name) : fmt::format("'{} {}'", command, name));
        out += fmt::format("        {})", fmt::join(patterns, " | "));
        if (option.takes_file)
            out += " COMPREPLY=($(compgen -f -- \"$word\"));";
        else if (!option.values.empty())
            out += fmt::format(" COMPREPLY=($(compgen -W '{}' -- \"$word\"));", fmt::join(option.values, " "));
        out += " return ;;\n";
    }
}

void bash_words(const part& one, const words& always, std::string& out) {
    auto all = names_of(one);
    all.insert(all.end(), one.values.begin(), one.values.end());
    for (const auto& option : one.options)
        for (const auto& name : option.names)
            if (name.starts_with("--")) all.push_back(name);
    for (const auto& name : always) all.push_back(name);
    out += fmt::format("        '{}') known='{}' ;;\n", one.name, fmt::join(all, " "));
}

std::string bash(const part& app) {
    std::string out =
        "_outbox_sidecar() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= known= one\n"
        "    for one in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n";
    out += fmt::format("        case $one in {}) command=$one; break ;; esac\n    done\n",
                       fmt::join(names_of(app), " | "));
    out += "    COMPREPLY=()\n    case \"$command $before\" in\n";
    bash_values(app, "", out);
    for (const auto& one : app.commands) {
        bash_values(one, one.name, out);
        for (const auto& below : one.commands) bash_values(below, one.name, out);
    }
    out += "    esac\n    case $command in\n";
    words always;
    for (const auto& option : app.options) always.push_back(option.names[0]);
    bash_words(app, {}, out);
    for (auto one : app.commands) {
        for (const auto& below : one.commands)
            one.options.insert(one.options.end(), below.options.begin(), below.options.end());
        bash_words(one, always, out);
    }
    return out +
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$known\" -- \"$word\"))\n"
           "}\n"
           "complete -F _outbox_sidecar outbox-sidecar\n";
}

// ---- fish -----------------------------------------------------------------------------------------------------------

std::string quoted(const std::string& text) {
    std::string all = "'";
    for (const char c : text) all += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return all + "'";
}

void fish_options(const part& one, const std::string& where, std::string& out) {
    for (const auto& option : one.options) {
        out += "complete -c outbox-sidecar" + where;
        for (const auto& name : option.names)
            out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        if (option.takes_file) out += " -rF";
        if (option.takes_value && !option.takes_file) out += " -x";
        if (!option.values.empty()) out += fmt::format(" -a '{}'", fmt::join(option.values, " "));
        out += " -d " + quoted(option.description) + "\n";
    }
}

std::string fish(const part& app) {
    std::string out = "complete -c outbox-sidecar -f\n";
    fish_options(app, "", out);
    for (const auto& one : app.commands) {
        out += fmt::format("complete -c outbox-sidecar -n __fish_use_subcommand -a {} -d {}\n", one.name,
                           quoted(one.description));
        const auto where = fmt::format(" -n '__fish_seen_subcommand_from {}'", one.name);
        if (!one.values.empty())
            out += fmt::format("complete -c outbox-sidecar{} -a '{}'\n", where, fmt::join(one.values, " "));
        fish_options(one, where, out);
        for (const auto& below : one.commands) {
            out +=
                fmt::format("complete -c outbox-sidecar{} -a {} -d {}\n", where, below.name, quoted(below.description));
            fish_options(below, where, out);
        }
    }
    return out;
}

}  // namespace

std::string completion(const CLI::App& app, const std::string& shell) {
    const auto all = known(app, true);
    if (shell == "fish") return fish(all);
    if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + bash(all);
    return bash(all);
}

}  // namespace sidecar
