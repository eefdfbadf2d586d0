#pragma once
// sidecar/command_line.hpp - from arguments to a plain description of what is wanted. Touches nothing outside.

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sidecar {

namespace command {
struct run {};
struct check {};
struct migrate {
    enum class mode { apply, print, status };
    mode how = mode::apply;
};
struct doctor {};
struct status {};
struct purge {
    bool dry_run = false;
};
struct version {};
using any = std::variant<run, check, migrate, doctor, status, purge, version>;
}  // namespace command

struct invocation {
    std::optional<std::string> config_file;  // as given with --config
    std::vector<std::string> overrides;      // "retry.initial=5s", in the order given
    bool json = false;
    command::any what = command::run{};
};

/// The parsing itself was the end of it: help was asked for, or the arguments were wrong.
struct parting {
    int exit_code = 0;
    std::string text;  // for standard output when the code is 0, else for standard error
};

/// `arguments` without the program's name. Global options may stand before and after the command.
std::variant<invocation, parting> parse(const std::vector<std::string>& arguments);

}  // namespace sidecar
