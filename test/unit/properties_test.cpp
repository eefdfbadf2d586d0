#include "relay/properties.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

using relay::outgoing;
using relay::read_properties;

namespace {

std::string why_not(std::string_view text) {
    outgoing message;
    const auto why = read_properties(text, message);
    return why ? why->reason : "";
}

outgoing with(std::string_view text) {
    outgoing message;
    message.content_type = "application/json";
    message.app_id = "standard";
    const auto why = read_properties(text, message);
    REQUIRE_MESSAGE(!why, why->reason);
    return message;
}

std::string member(const std::string& name, const nlohmann::json& value) {
    return nlohmann::json{{name, value}}.dump();
}

}  // namespace

TEST_CASE("every property that is known reaches its place") {
    const auto made = with(R"({"content_type": "text/plain", "content_encoding": "gzip", "correlation_id": "c-1",
                               "reply_to": "answers", "expiration": "60000", "priority": 9, "type": "order.created",
                               "app_id": "shop", "delivery_mode": 1})");
    CHECK(made.content_type == "text/plain");
    CHECK(made.content_encoding == "gzip");
    CHECK(made.correlation_id == "c-1");
    CHECK(made.reply_to == "answers");
    CHECK(made.expiration == "60000");
    CHECK(made.priority == 9);
    CHECK(made.type == "order.created");
    CHECK(made.app_id == "shop");
    CHECK(made.delivery_mode == 1);
}

TEST_CASE("what is missing or null stays as it was") {
    for (const auto* text : {"{}", "null", "", " \n", R"({"content_type": null, "priority": null, "delivery_mode": null,
                                                        "app_id": null, "expiration": null})"}) {
        CAPTURE(text);
        const auto made = with(text);
        CHECK(made.content_type == "application/json");
        CHECK(made.app_id == "standard");
        CHECK(made.delivery_mode == 2);
        CHECK_FALSE(made.priority);
        CHECK_FALSE(made.expiration);
        CHECK_FALSE(made.correlation_id);
    }
}

TEST_CASE("texts are short strings: 255 bytes pass, 256 don't") {
    for (const auto* name : {"content_type", "content_encoding", "correlation_id", "reply_to", "type", "app_id"}) {
        CAPTURE(name);
        CHECK(why_not(member(name, std::string(255, 'x'))) == "");
        CHECK(why_not(member(name, std::string(256, 'x'))) ==
              std::string("property ") + name + " is 256 bytes, AMQP allows 255");
        CHECK(why_not(member(name, 5)) == std::string("property ") + name + " is a JSON number, not a string");
        CHECK(why_not(member(name, nlohmann::json::array())) != "");
    }
}

TEST_CASE("expiration takes whole milliseconds, as a number or in digits, as far as the broker takes them") {
    CHECK(with(R"({"expiration": 0})").expiration == "0");
    CHECK(with(R"({"expiration": 4294967295})").expiration == "4294967295");
    CHECK(with(R"({"expiration": "4294967295"})").expiration == "4294967295");
    CHECK(with(R"({"expiration": "007"})").expiration == "7");
    CHECK(why_not(R"({"expiration": "1s"})") ==
          "property expiration is \"1s\", it has to be whole milliseconds from 0 to 4294967295");
    for (const auto* wrong : {"-1", "1.5", "60.0", "4294967296", "\"4294967296\"", "\"-1\"", "\"+1\"", "\"\"", "\" 1\"",
                              "\"1 \"", "\"1\\u0000\"", "\"99999999999999999999999\"", "true", "[1]", "{}"}) {
        CAPTURE(wrong);
        CHECK(why_not(std::string(R"({"expiration": )") + wrong + "}").starts_with("property expiration is "));
    }
}

TEST_CASE("priority is a whole number from 0 to 255") {
    CHECK(with(R"({"priority": 0})").priority == 0);
    CHECK(with(R"({"priority": 255})").priority == 255);
    CHECK(why_not(R"({"priority": 256})") == "property priority is 256, it has to be a whole number from 0 to 255");
    for (const auto* wrong : {"-1", "1.0", "\"5\"", "true", "18446744073709551615", "[5]"}) {
        CAPTURE(wrong);
        CHECK(why_not(std::string(R"({"priority": )") + wrong + "}").starts_with("property priority is "));
    }
}

TEST_CASE("delivery_mode is 1 or 2") {
    CHECK(with(R"({"delivery_mode": 2})").delivery_mode == 2);
    CHECK(why_not(R"({"delivery_mode": {"a": 1}})") == "property delivery_mode is an object, it has to be 1 or 2");
    for (const auto* wrong : {"0", "3", "-1", "257", "1.0", "\"2\"", "false"}) {
        CAPTURE(wrong);
        CHECK(why_not(std::string(R"({"delivery_mode": )") + wrong + "}").starts_with("property delivery_mode is "));
    }
}

TEST_CASE("a property that is not known is refused by name, and a long name is cut between characters") {
    CHECK(why_not(R"({"prority": 5})") == "property \"prority\" is not known");
    CHECK(why_not(R"({"message_id": "x"})") == "property \"message_id\" is not known");
    std::string umlauts;
    for (int i = 0; i < 1000; ++i) umlauts += "ü";
    CHECK(why_not(member("x" + umlauts, 1)) == "property \"x" + umlauts.substr(0, 62) + "…\" is not known");
}

TEST_CASE("properties that are no JSON object are refused") {
    CHECK(why_not("[]") == "properties are a JSON array, not an object");
    CHECK(why_not("\"text\"") == "properties are a JSON string, not an object");
    CHECK(why_not("{\"priority\": 5") == "properties are not JSON");
}
