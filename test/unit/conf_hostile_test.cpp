#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <string>

#include "conf/load.hpp"
#include "conf_testing.hpp"

using conf_testing::problems;
using conf_testing::scratch_folder;

namespace {

std::string repeat(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

std::string list_of(std::string_view text, std::size_t times) {
    std::string all = "[";
    return all.append(repeat(text, times)).append("]");
}

std::string problems_of_file(const std::string& file) {
    try {
        conf::load(file, conf_testing::required(), {});
        return {};
    } catch (const conf::invalid& e) {
        return e.what();
    }
}

}  // namespace

TEST_CASE("a syntax error is named with its line") {
    CHECK(problems("log:\n  level: info\n format: text\n").starts_with("file:3:"));
    CHECK(problems("log: {level: info\n").find("no valid YAML") != std::string::npos);
    CHECK(problems("a: \"b\n").find("no valid YAML") != std::string::npos);
    CHECK(problems("retry:\n  strategy: \"linear\nlog: {level: debug}\n").find("no valid YAML") != std::string::npos);
    CHECK(problems("\tlog: {}\n").find("no valid YAML") != std::string::npos);
}

TEST_CASE("a second document is refused, not ignored") {
    CHECK(problems("log: {level: info}\n---\nlog: {level: debug}\n") == "file:2:1: only one YAML document is expected");
}

TEST_CASE("a file that can't be read is named with the reason") {
    const scratch_folder scratch;
    CHECK(problems_of_file(scratch.file("none")) ==
          scratch.file("none") + ": can't be read: No such file or directory");
    CHECK(problems_of_file(scratch.file("")) == scratch.file("") + ": can't be read: Is a directory");
    if (::geteuid() != 0) {
        const auto locked = scratch.write("locked", "");
        ::chmod(locked.c_str(), 0);
        CHECK(problems_of_file(locked) == locked + ": can't be read: Permission denied");
    }
    CHECK(problems_of_file(scratch.write("large", std::string(1024 * 1024 + 1, '#'))).find("is larger") !=
          std::string::npos);
    CHECK(problems_of_file(scratch.write("just right", std::string(1024 * 1024, '#'))) == "");
    CHECK(problems_of_file("/dev/zero").find("is larger") != std::string::npos);
}

TEST_CASE("nesting without end is refused") {
    for (const std::string opening : {"[", "{", "{a: ", "[[{a: ", "- ", "? ", "a: [", "!x [", "&a [", "[a: "}) {
        CAPTURE(opening);
        CHECK(problems(repeat(opening, 5'000)) != "");
        CHECK(problems("retry: " + repeat(opening, 1'000'000 / opening.size())) != "");
    }
    std::string stairs;
    for (std::size_t i = 0; i < 1'000; ++i) stairs += std::string(i, ' ') + "a:\n";
    CHECK(problems(stairs).find("nested more deeply") != std::string::npos);
    CHECK(problems("topology: {queues: [{name: a, arguments: {x: " + repeat("[", 20) + repeat("]", 20) + "}}]}") == "");
}

TEST_CASE("aliases that multiply are refused before they take up memory") {
    std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char name = 'b'; name < 'm'; ++name) {
        const std::string before{'*', static_cast<char>(name - 1), ',', ' '};
        bomb += std::string{name, ':', ' ', '&', name} + " [" + repeat(before, 10) + "]\n";
    }
    CHECK(problems(bomb).find("more values than any configuration has") != std::string::npos);
    auto bales = "a: &a " + repeat("x", 500'000);
    bales.append("\nb: ").append(list_of("*a, ", 10'000));
    CHECK(problems(bales).find("more values") != std::string::npos);
    CHECK(problems(list_of("a, ", 300'000)).find("more values") != std::string::npos);
}

TEST_CASE("an alias within the value that it names is refused") {
    CHECK(problems("a: &a [*a]").find("not complete") != std::string::npos);
    CHECK(problems("a: &a {b: *a}").find("not complete") != std::string::npos);
    CHECK(problems("a: *b").find("file:1:") == 0);
}

TEST_CASE("an alias is as good as what it names") {
    const auto s = conf_testing::load("retry: {initial: &t 5s, max_interval: *t}\nrelay: {poll_max: *t}");
    CHECK(s.retry.max_interval == std::chrono::seconds{5});
    CHECK(s.relay.poll_max == std::chrono::seconds{5});
}

TEST_CASE("keys that are no text are refused") {
    CHECK(problems("? [a]\n: b\n").find("a key must be plain text") != std::string::npos);
    CHECK(problems("? {a: b}\n: b\n").find("a key must be plain text") != std::string::npos);
    CHECK(problems("&a b: c\n*a : d\n") != "");
    CHECK(problems("~: b\n") == "file:1:1: null: unknown key");
    CHECK(problems("\"a\\nb\": 1") == "file:1:1: a?b: unknown key");
}

TEST_CASE("text of any length is cut where it is repeated") {
    CHECK(problems("log: {level: " + std::string(100'000, 'x') + "}").size() < 300);
    CHECK(problems(std::string(900, 'x') + ": 1").size() < 300);
    CHECK(problems("", {{"OUTBOX_" + std::string(100'000, 'X'), ""}}).size() < 300);
    CHECK(problems("", {}, {std::string(100'000, 'x') + "=1"}).size() < 300);
}

TEST_CASE("a damaged reference configuration is loaded or refused, whatever the damage") {
    const auto reference = conf_testing::content_of(conf_testing::reference_file());
    REQUIRE(reference.size() > 2'000);
    const std::string splinters[] = {"[",     "]",          "{",     "}",     ": ",           "\n",
                                     "  ",    "- ",         "&a ",   "*a",    "!!str ",       "\"",
                                     "'",     "|\n",        ">\n",   "#",     "? ",           "---\n",
                                     "...\n", "%TAG ! x\n", "\t",    "\xff",  "\xef\xbb\xbf", std::string(1, '\0'),
                                     "~",     "-1",         "1e999", "never", "mysql://u:p@", "\\x00",
                                     "\r\n"};
    // OUTBOX_TEST_SEED and OUTBOX_TEST_ROUNDS widen the search.
    const auto number = [](const char* name, unsigned otherwise) {
        const char* text = std::getenv(name);
        return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
    };
    std::mt19937 random{number("OUTBOX_TEST_SEED", 20)};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };

    int loaded = 0;
    int refused = 0;
    for (auto round = number("OUTBOX_TEST_ROUNDS", 3'000); round > 0; --round) {
        auto text = reference;
        for (auto cuts = below(4) + 1; cuts > 0 && !text.empty(); --cuts) {
            const auto at = below(text.size());
            switch (below(5)) {
                case 0: text[at] = static_cast<char>(below(256)); break;
                case 1: text.erase(at, below(40)); break;
                case 2: text.insert(at, splinters[below(std::size(splinters))]); break;
                case 3: text.insert(at, text.substr(below(text.size()), below(200))); break;
                default: text.resize(at + 1); break;
            }
        }
        try {
            conf::load_text(text, "file", {}, {});
            ++loaded;
        } catch (const conf::invalid& e) {
            REQUIRE_FALSE(e.problems().empty());
            for (const auto& p : e.problems()) REQUIRE((p.where + p.what).find('\n') == std::string::npos);
            ++refused;
        }
    }
    CHECK(loaded > 0);
    CHECK(refused > 0);
}
