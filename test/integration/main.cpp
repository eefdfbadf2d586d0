// The relay as the process runs it, against a real database and a real broker, which the tests break and repair.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>
#include <iostream>

#include "test/support/environment.hpp"

int main(int argc, char** argv) {
    if (const auto missing = support::missing_variables(); !missing.empty()) {
        std::cerr << "These tests need servers that they may break. Run them with\n\n    test/run integration\n\n"
                     "which starts such servers, or start them with deploy/lib/private-servers and set";
        for (const auto& name : missing) std::cerr << ' ' << name;
        std::cerr << " by its `env`.\n";
        return 1;
    }
    std::signal(SIGPIPE, SIG_IGN);  // as the process does
    return doctest::Context(argc, argv).run();
}
