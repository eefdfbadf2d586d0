#pragma once
// sidecar/commands.hpp - what each command does. Each prints to standard output, and returns the process's exit code.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "conf/sources.hpp"
#include "sidecar/command_line.hpp"

namespace sidecar {

/// Does what is wanted. Throws nothing: errors are printed on standard error and become exit codes.
int execute(const invocation& wanted);

/// What the commands need to know besides their own options.
struct context {
    const invocation& wanted;
    const conf::settings& settings;
    bool json;
    std::string source{};                 // the one whose settings these are, as one of several; else empty
    std::vector<conf::source> sources{};  // for run and check: all that are meant
};

/// JSON that a command prints, of one line; as one of several, with the source's name in front.
std::string printed(const context& at, const nlohmann::ordered_json& document);

int run(const command::run& options, const context& at);
int check(const context& at);
int migrate(const command::migrate& options, const context& at);
int doctor(const context& at);
int status(const command::status& options, const context& at);
int purge(const command::purge& options, const context& at);
int list(const command::list& options, const context& at);
int groups(const command::groups& options, const context& at);
int show(const command::show& options, const context& at);
int retry(const command::retry& options, const context& at);
int remove(const command::remove& options, const context& at);
int redrive(const command::redrive& options, const context& at);
int failures(const command::failures& options, const context& at);
/// With a url it needs no settings, so it loads them itself.
int health(const command::health& options, const invocation& wanted);

}  // namespace sidecar
