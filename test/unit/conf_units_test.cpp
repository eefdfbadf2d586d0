#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "conf/units.hpp"

using namespace std::chrono_literals;
using conf::milliseconds;

TEST_CASE("a duration is read in every unit, with or without a fraction") {
    const struct {
        std::string text;
        milliseconds value;
    } cases[] = {{"0", 0ms},
                 {"0s", 0ms},
                 {"250ms", 250ms},
                 {"5s", 5s},
                 {"1.5s", 1500ms},
                 {"0.001s", 1ms},
                 {"2m", 2min},
                 {"12h", 12h},
                 {"30d", 24h * 30},
                 {"0.5d", 12h},
                 {"007s", 7s},
                 {"1.50m", 90s},
                 {"36500d", conf::longest_duration}};
    for (const auto& [text, value] : cases) {
        CAPTURE(text);
        CHECK(conf::parse_duration(text) == value);
    }
}

TEST_CASE("what is no duration is refused") {
    for (const std::string text : {"",   " ",     "s",   "5 s", " 5s",  "5s ",  "-5s",  "+5s",   "5S",   "5sec",
                                   "5w", "1h30m", ".5s", "5.s", "1e3s", "0x5s", "1,5s", "never", "5s\n", "nan"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(conf::parse_duration(text), conf::wrong_value);
    }
}

TEST_CASE("a bare number is refused with the names of the units") {
    for (const std::string text : {"1", "60", "60000", "0.5"}) {
        CAPTURE(text);
        CHECK_THROWS_WITH_AS(conf::parse_duration(text), doctest::Contains("ms, s, m, h or d"), conf::wrong_value);
    }
}

TEST_CASE("a duration that is no whole number of milliseconds is refused") {
    CHECK_THROWS_WITH_AS(conf::parse_duration("1.5ms"), doctest::Contains("whole milliseconds"), conf::wrong_value);
    CHECK_THROWS_AS(conf::parse_duration("0.0001s"), conf::wrong_value);
}

TEST_CASE("a duration beyond all need is refused rather than wrapped around") {
    for (const std::string text :
         {"36501d", "36500.00001d", "9223372036854775807ms", "9223372036854775808ms", "18446744073709551616d",
          "213503982335d", "99999999999999999999999999999999s", "0.00000000000000000000000000000000001d"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(conf::parse_duration(text), conf::wrong_value);
    }
}

TEST_CASE("a duration is printed in the largest unit that loses nothing") {
    CHECK(conf::print_duration(0ms) == "0");
    CHECK(conf::print_duration(1ms) == "1ms");
    CHECK(conf::print_duration(1500ms) == "1500ms");
    CHECK(conf::print_duration(90s) == "90s");
    CHECK(conf::print_duration(60s) == "1m");
    CHECK(conf::print_duration(36h) == "36h");
    CHECK(conf::print_duration(24h * 30) == "30d");
}

TEST_CASE("every duration that is printed is read back as the same") {
    std::mt19937_64 random{17};
    for (int i = 0; i < 10'000; ++i) {
        const auto limit = std::int64_t{1} << (random() % 41);
        const milliseconds value{std::uniform_int_distribution<std::int64_t>{0, limit}(random)};
        REQUIRE(conf::parse_duration(conf::print_duration(value)) == value);
    }
}

TEST_CASE("a size is read in bytes, in binary and in decimal units") {
    const struct {
        std::string text;
        std::uint64_t count;
    } cases[] = {{"0", 0},
                 {"512", 512},
                 {"64KiB", 65'536},
                 {"16MiB", 16'777'216},
                 {"1GiB", 1u << 30},
                 {"1kB", 1'000},
                 {"2MB", 2'000'000},
                 {"3GB", 3'000'000'000},
                 {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()}};
    for (const auto& [text, count] : cases) {
        CAPTURE(text);
        CHECK(conf::parse_size(text).count == count);
    }
}

TEST_CASE("what is no size is refused") {
    for (const std::string text : {"", "KiB", "-1", "+1", "1.5MiB", "64 KiB", "64kib", "64K", "64Ki", "1TiB", "1B",
                                   "0x10", "18446744073709551616", "17179869184GiB", "1GiBs"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(conf::parse_size(text), conf::wrong_value);
    }
}

TEST_CASE("every size that is printed is read back as the same") {
    CHECK(conf::print_size({0}) == "0");
    CHECK(conf::print_size({1023}) == "1023");
    CHECK(conf::print_size({1024}) == "1KiB");
    CHECK(conf::print_size({16 * 1024 * 1024}) == "16MiB");
    std::mt19937_64 random{18};
    for (int i = 0; i < 10'000; ++i) {
        const conf::byte_size value{(random() >> (random() % 64)) << (random() % 3 * 10)};
        REQUIRE(conf::parse_size(conf::print_size(value)) == value);
    }
}
