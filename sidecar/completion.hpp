#pragma once
// sidecar/completion.hpp - what a shell needs to complete the command line by itself. Includes CLI11; only the command
// line's own files use it.

#include <CLI/CLI.hpp>
#include <string>

namespace sidecar {

/// A script for "bash", "zsh" or "fish", to be evaluated there, that knows each command, option and fixed value of
/// `app`.
std::string completion(const CLI::App& app, const std::string& shell);

}  // namespace sidecar
