#pragma once
// sidecar/message_options.hpp - the options of the commands that look at messages and change them. Only
// sidecar/command_line.cpp needs them.

#include "sidecar/command_line.hpp"

namespace CLI {
class App;
}

namespace sidecar {

/// What is parsed goes into the command, which has to outlive the parsing.
void add_options(CLI::App& to, command::list& list);
void add_options(CLI::App& to, command::groups& groups);
void add_options(CLI::App& to, command::show& show);
void add_options(CLI::App& to, command::retry& retry);
void add_options(CLI::App& to, command::remove& remove);
void add_options(CLI::App& to, command::failures& failures);

/// Throws CLI::ValidationError for what contradicts itself, or what would lose or repeat messages without --force.
/// Without a status, a retry of all is one of those that failed, and so are groups.
void check(command::retry& retry);
void check(const command::remove& remove);
void check(const command::failures& failures);
void check(command::groups& groups);

}  // namespace sidecar
