#include "relay/glob.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>

using relay::matches;

namespace {

// The definition, word for word, without any thought of speed.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*') {
        return matches_by_definition(pattern.substr(1), text) ||
               (!text.empty() && matches_by_definition(pattern, text.substr(1)));
    }
    return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
           matches_by_definition(pattern.substr(1), text.substr(1));
}

std::string any_of(std::string_view letters, std::size_t at_most, std::mt19937_64& random) {
    std::string made(random() % (at_most + 1), ' ');
    for (auto& c : made) c = letters[random() % letters.size()];
    return made;
}

}  // namespace

TEST_CASE("a pattern without wildcards matches only itself") {
    CHECK(matches("", ""));
    CHECK(matches("orders", "orders"));
    CHECK_FALSE(matches("orders", "order"));
    CHECK_FALSE(matches("order", "orders"));
    CHECK_FALSE(matches("orders", "Orders"));
    CHECK_FALSE(matches("", "x"));
}

TEST_CASE("a star stands for any run of characters, also none") {
    CHECK(matches("*", ""));
    CHECK(matches("*", "anything.at.all"));
    CHECK(matches("order.*", "order."));
    CHECK(matches("order.*", "order.created.v2"));
    CHECK(matches("*.created", "order.created"));
    CHECK(matches("a*b*c", "a-b-b-c"));
    CHECK(matches("**", "x"));
    CHECK_FALSE(matches("order.*", "order"));
    CHECK_FALSE(matches("a*b*c", "a-c-b"));
}

TEST_CASE("a question mark stands for exactly one character, whatever its length in bytes") {
    CHECK(matches("v?", "v1"));
    CHECK_FALSE(matches("v?", "v"));
    CHECK_FALSE(matches("v?", "v12"));
    CHECK(matches("gr?n", "grün"));
    CHECK(matches("??", "日本"));
    CHECK(matches("*?", "日"));
    CHECK_FALSE(matches("???", "日本"));
    CHECK(matches("?", "\xFF"));
    CHECK(matches("??", "\xE6\x97"));
}

TEST_CASE("a NUL byte is a byte like any other") {
    using namespace std::string_literals;
    CHECK(matches("a\0b"s, "a\0b"s));
    CHECK(matches("a?b", "a\0b"s));
    CHECK_FALSE(matches("a", "a\0b"s));
}

TEST_CASE("any pattern matches what its definition says") {
    for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const auto pattern = any_of("ab*?", 7, random);
        const auto text = any_of("ab", 9, random);
        CAPTURE(pattern);
        CAPTURE(text);
        REQUIRE(matches(pattern, text) == matches_by_definition(pattern, text));
    }
}

TEST_CASE("a hostile pattern costs no more than pattern times text") {
    std::string pattern;
    for (int i = 0; i < 60; ++i) pattern += "*a";
    pattern += "b";
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(matches(pattern, std::string(255, 'a')));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{1});
}
