// The contract that every store has to keep. The suite runs once for each kind of database, or for those that
// OUTBOX_TEST_KINDS names: OUTBOX_TEST_KINDS=sqlite,mysql
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "test/contract/mysql_subject.hpp"
#include "test/contract/postgresql_subject.hpp"
#include "test/contract/sqlite_subject.hpp"

namespace {

int run(const contract::kind_of_database& kind, int argc, char** argv) {
    fmt::print("== contract: {}\n", kind.name);
    std::fflush(stdout);
    contract::use(kind);
    doctest::Context context(argc, argv);
    return context.run();
}

const std::vector<std::pair<std::string, contract::kind_of_database (*)()>> known = {
    {"sqlite", contract::sqlite},
    {"mysql", contract::mysql},
    {"postgresql", contract::postgresql},
};

std::vector<contract::kind_of_database> wanted_kinds() {
    const char* const named = std::getenv("OUTBOX_TEST_KINDS");
    std::vector<contract::kind_of_database> kinds;
    if (named == nullptr || *named == 0) {
        for (const auto& [name, make] : known) kinds.push_back(make());
        return kinds;
    }
    std::istringstream names(named);
    for (std::string name; std::getline(names, name, ',');) {
        const auto found = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == name; });
        if (found == known.end()) throw std::runtime_error("OUTBOX_TEST_KINDS: there is no kind " + name);
        kinds.push_back(found->second());
    }
    return kinds;
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<contract::kind_of_database> kinds;
    try {
        kinds = wanted_kinds();
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\nThese tests need servers: `test/run contract` starts them.\n", error.what());
        return EXIT_FAILURE;
    }
    bool passed = true;
    for (const auto& kind : kinds) passed = run(kind, argc, argv) == 0 && passed;
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
