// Headers are the row's JSON object, each value of the AMQP type that is nearest to it.

#include <doctest/doctest.h>

#include <limits>

#include "test/integration/rows.hpp"

using nlohmann::json;
using rows::put;

namespace {

support::received with_headers(const std::string& text) {
    support::scene here;
    put(here, "a", {{"headers", support::utf8(text)}});
    return rows::only(here);
}

}  // namespace

TEST_SUITE("sent") {
    TEST_CASE("every type of JSON arrives as its type of AMQP") {
        const auto message = with_headers(
            R"({"a_text": "ü 😀", "b_int": 42, "c_negative": -7, "d_double": 2.5, "e_true": true, "f_false": false,
                "g_null": null, "h_object": {"x": 1, "y": {"z": "deep"}}, "i_array": [1, "two", 3.5, null, [true], {}],
                "j_empty": "", "k_none": {}, "l_nothing": []})");
        CHECK(message.header_kinds == "SlldttVFASFA");
        const json expected = {{"a_text", "ü 😀"},
                               {"b_int", 42},
                               {"c_negative", -7},
                               {"d_double", 2.5},
                               {"e_true", true},
                               {"f_false", false},
                               {"g_null", nullptr},
                               {"h_object", {{"x", 1}, {"y", {{"z", "deep"}}}}},
                               {"i_array", json::array({1, "two", 3.5, nullptr, json::array({true}), json::object()})},
                               {"j_empty", ""},
                               {"k_none", json::object()},
                               {"l_nothing", json::array()}};
        CHECK(message.headers == expected);
    }

    TEST_CASE("whole numbers are exact as far as AMQP has a type for them, and beyond as near as a double is") {
        const auto message = with_headers(
            R"({"a": 9223372036854775807, "b": -9223372036854775808, "c": 9007199254740993, "d": 9223372036854775808,
                "e": 18446744073709551615, "f": 1e300, "g": 0, "h": 2147483648})");
        CHECK(message.header_kinds ==
              "lllddd"
              "ll");
        CHECK(message.headers["a"] == std::int64_t{9223372036854775807});
        CHECK(message.headers["b"] == std::numeric_limits<std::int64_t>::min());
        CHECK(message.headers["c"] == std::int64_t{9007199254740993});
        CHECK(message.headers["d"] == 9223372036854775808.0);
        CHECK(message.headers["e"] == 18446744073709551615.0);
        CHECK(message.headers["f"] == 1e300);
        CHECK(message.headers["g"] == 0);
        CHECK(message.headers["h"] == std::int64_t{2147483648});
    }

    TEST_CASE("a traceparent arrives untouched") {
        const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        const auto message = with_headers("{\"traceparent\": \"" + traceparent + "\", \"tracestate\": \"a=1,b=2\"}");
        CHECK(message.headers == json{{"traceparent", traceparent}, {"tracestate", "a=1,b=2"}});
        CHECK(message.header_kinds == "SS");
    }

    TEST_CASE("no headers, or an empty object, or null, is a message without headers") {
        support::scene here;
        put(here, "a", {{"headers", "NULL"}});
        put(here, "b", {{"headers", "'{}'"}});
        put(here, "c", {{"headers", "'null'"}});
        const auto messages = rows::relayed(here, 3);
        CHECK(messages.size() == 3);
        for (const auto& one : messages) CHECK(one.headers.empty());
    }

    TEST_CASE("names of headers may be of any characters, up to 255 bytes") {
        for (const std::string& name :
             {std::string("ü 😀"), std::string("x-y.z"), std::string("  "), std::string(127, 'n'), std::string(128, 'n'),
              std::string(254, 'n'), std::string(255, 'n')}) {
            CAPTURE(name);
            const auto message = with_headers(json{{name, 4}, {"other", 5}}.dump());
            CHECK(message.headers == json{{name, 4}, {"other", 5}});
        }
    }
}
