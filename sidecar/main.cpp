#include <csignal>
#include <iostream>

#include "sidecar/command_line.hpp"
#include "sidecar/commands.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a lost connection is an error of its call, not the end
    const auto parsed = sidecar::parse({argv + 1, argv + argc});
    if (const auto* parting = std::get_if<sidecar::parting>(&parsed)) {
        (parting->exit_code == 0 ? std::cout : std::cerr) << parting->text;
        return parting->exit_code;
    }
    return sidecar::execute(std::get<sidecar::invocation>(parsed));
}
