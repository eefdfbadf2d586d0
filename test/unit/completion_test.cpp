// What the shells are told, and what bash makes of it.

#include <doctest/doctest.h>
#include <stdio.h>

#include <array>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "sidecar/command_line.hpp"

namespace {

std::string printed(const std::vector<std::string>& arguments) {
    const auto end = sidecar::parse(arguments);
    REQUIRE(std::holds_alternative<sidecar::parting>(end));
    CHECK(std::get<sidecar::parting>(end).exit_code == 0);
    return std::get<sidecar::parting>(end).text;
}

std::string script(const std::string& shell) { return printed({"completion", shell}); }

/// What bash offers when this has been typed; the last word is not finished.
std::set<std::string> offered(const std::string& line) {
    const auto program = script("bash") + "COMP_WORDS=(" + line + "); [[ '" + line +
                         "' != *' ' ]] || COMP_WORDS+=('')\n"
                         "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _outbox_sidecar; printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    std::string quoted;
    for (const char c : program) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    FILE* bash = popen(("bash --norc -c '" + quoted + "' 2>&1").c_str(), "r");
    REQUIRE(bash != nullptr);
    std::string out;
    std::array<char, 4096> some{};
    while (const auto size = fread(some.data(), 1, some.size(), bash)) out.append(some.data(), size);
    CHECK(pclose(bash) == 0);
    std::istringstream lines(out);
    std::set<std::string> result;
    for (std::string one; lines >> one;) result.insert(one);
    return result;
}

using words = std::set<std::string>;

}  // namespace

TEST_CASE("bash completes commands, options and their values") {
    CHECK(offered("outbox-sidecar re") == words{"redrive", "retry"});
    CHECK(offered("outbox-sidecar list --status del") == words{"delivering", "delivered"});
    CHECK(offered("outbox-sidecar list --ex") == words{"--exchange"});
    CHECK(offered("outbox-sidecar --set retry.initial=5s list --ex") == words{"--exchange"});
    CHECK(offered("outbox-sidecar migrate --st") == words{"--status"});
    CHECK(offered("outbox-sidecar migrate --status --pr") == words{"--print"});
    CHECK(offered("outbox-sidecar health --probe ") == words{"live", "ready", "startup"});
    CHECK(offered("outbox-sidecar failures r") == words{"retry"});
    CHECK(offered("outbox-sidecar failures retry --fo") == words{"--force"});
    CHECK(offered("outbox-sidecar failures delete --a") == words{"--all"});
    CHECK(offered("outbox-sidecar failures --side ") == words{"producer", "consumer"});
    CHECK(offered("outbox-sidecar completion ").contains("zsh"));
    CHECK(offered("outbox-sidecar --config /etc/passw").contains("/etc/passwd"));
    CHECK(offered("outbox-sidecar list --exchange ").empty());
    CHECK(offered("outbox-sidecar list --js") == words{"--json"});
    CHECK(offered("outbox-sidecar list --so") == words{"--source"});
}

TEST_CASE("every command and long option of the help is known to each shell, and to the man page") {
    std::set<std::string> commands, options;
    const auto collect = [&](const std::string& help, const std::string& expression, std::set<std::string>& into) {
        const std::regex pattern(expression);
        for (std::sregex_iterator one(help.begin(), help.end(), pattern), end; one != end; ++one)
            into.insert((*one)[1]);
    };
    const auto help = printed({"--help"});
    const auto list_of_commands = help.substr(help.find("Subcommands:"));
    collect(list_of_commands, "\n  ([a-z]+) ", commands);
    CHECK(commands.size() >= 14);
    for (const auto& command : commands) collect(printed({command, "--help"}), "\n  (?:-[a-z],)?--([a-z-]+)", options);
    CHECK(options.size() >= 15);
    for (const auto* shell : {"bash", "zsh", "fish"}) {
        CAPTURE(shell);
        const auto text = script(shell);
        for (const auto& one : commands) CHECK_MESSAGE(text.find(one) != text.npos, one);
        const std::string dashes = shell == std::string("fish") ? "-l " : "--";
        for (const auto& one : options) CHECK_MESSAGE(text.find(dashes + one) != text.npos, one);
    }
    std::ifstream file(OUTBOX_SOURCE_FOLDER "/deploy/man/outbox-sidecar.1");
    const auto page =
        std::regex_replace(std::string(std::istreambuf_iterator<char>(file), {}), std::regex("\\\\-"), "-");
    for (const auto& one : commands)
        CHECK_MESSAGE(std::regex_search(page, std::regex("\\.TP\\n.*(B|[^a-z])" + one + "\\b")), one);
    for (const auto& one : options) CHECK_MESSAGE(page.find("--" + one) != page.npos, one);
    CHECK(std::get<sidecar::parting>(sidecar::parse({"completion", "tcsh"})).exit_code == 64);
}
