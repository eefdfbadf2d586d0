// The contract that every store has to keep. The suite runs once for each kind of database.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <vector>

#include "test/contract/mysql_subject.hpp"

namespace {

int run(const contract::kind_of_database& kind, int argc, char** argv) {
    fmt::print("== contract: {}\n", kind.name);
    std::fflush(stdout);
    contract::use(kind);
    doctest::Context context(argc, argv);
    return context.run();
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<contract::kind_of_database> kinds;
    try {
        kinds.push_back(contract::mysql());
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\nThese tests need servers: `test/run contract` starts them.\n", error.what());
        return EXIT_FAILURE;
    }
    bool passed = true;
    for (const auto& kind : kinds) passed = run(kind, argc, argv) == 0 && passed;
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
