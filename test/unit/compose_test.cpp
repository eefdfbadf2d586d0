#include "relay/compose.hpp"

#include <doctest/doctest.h>

#include <random>

#include "relay/json_object.hpp"
#include "relay/utf8.hpp"

using nlohmann::json;
using relay::composer;
using relay::impossible;
using relay::outgoing;
using namespace std::string_literals;

namespace {

outbox::message sample() {
    outbox::message row;
    row.id = "4f1c";
    row.body = "a body that stays secret";
    row.exchange = "orders";
    row.routing_key = "order.created";
    row.try_count = 2;
    row.create_time = 1'767'225'599'007;
    return row;
}

outbox::message with_headers(std::string text) {
    auto row = sample();
    row.headers = std::move(text);
    return row;
}

conf::message enveloping(conf::envelope envelope) {
    conf::message settings;
    settings.envelope = envelope;
    return settings;
}

outgoing sent(outbox::message row, const conf::message& settings = {}, std::uint64_t max_body = 0) {
    auto made = composer(settings).compose(std::move(row), max_body);
    if (const auto* no = std::get_if<impossible>(&made)) FAIL(no->reason);
    return std::get<outgoing>(std::move(made));
}

std::string why_not(outbox::message row, const conf::message& settings = {}, std::uint64_t max_body = 0) {
    const auto before = row;
    const auto made = composer(settings).compose(std::move(row), max_body);
    const auto* no = std::get_if<impossible>(&made);
    if (!no) return "";

    // What holds for every refusal.
    CHECK(no->reason.find("secret") == std::string::npos);
    CHECK(no->reason.size() <= 200);
    CHECK(relay::is_utf8(no->reason));
    CHECK(row.id == before.id);
    CHECK(row.body == before.body);
    CHECK(row.exchange == before.exchange);
    CHECK(row.headers == before.headers);
    return no->reason;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("a plain row is sent with the defaults, and its body as stored, without a copy") {
    auto row = sample();
    row.body = "\0\xFF{not json "s + std::string(1000, 'x');
    const auto body = row.body;
    const auto* bytes = row.body.data();
    conf::message settings;
    settings.content_type = "text/plain";
    settings.app_id = "shop";

    const auto made = sent(std::move(row), settings, 10'000);
    CHECK(made.body == body);
    CHECK(made.body.data() == bytes);
    CHECK(made.row.id == "4f1c");
    CHECK(made.row.exchange == "orders");
    CHECK(made.row.routing_key == "order.created");
    CHECK(made.row.try_count == 2);
    CHECK(made.row.body_size == body.size());
    CHECK(made.message_id == "4f1c");
    CHECK(made.timestamp_ms == 1'767'225'599'007u);
    CHECK(made.content_type == "text/plain");
    CHECK(made.app_id == "shop");
    CHECK(made.delivery_mode == 2);
    CHECK(made.headers == json::object());
    CHECK_FALSE(made.priority);
}

TEST_CASE("a row that says nothing at all is still a message") {
    const auto made = sent({});
    CHECK(made.message_id == "");
    CHECK(made.body == "");
    CHECK_FALSE(made.timestamp_ms);
}

TEST_CASE("a time before 1970 is not sent") {
    auto row = sample();
    row.create_time = -1;
    CHECK_FALSE(sent(row).timestamp_ms);
    row.create_time = 0;
    CHECK(sent(row).timestamp_ms == 0u);
}

TEST_CASE("exchange and routing key fit at 255 bytes of UTF-8 and not at 256") {
    std::string umlauts;
    for (int i = 0; i < 128; ++i) umlauts += "ü";
    auto row = sample();
    row.exchange = std::string(255, 'e');
    row.routing_key = std::string(255, 'k');
    CHECK(why_not(row) == "");
    row.routing_key = umlauts;
    CHECK(why_not(row) == "routing_key is 256 bytes, AMQP allows 255");
    row.exchange = umlauts;
    CHECK(why_not(row) == "exchange is 256 bytes, AMQP allows 255");
}

TEST_CASE("a body is measured as it is sent, envelope included") {
    const auto row = sample();
    const auto size = row.body.size();
    CHECK(why_not(row, {}, size) == "");
    CHECK(why_not(row, {}, size - 1) == "body is 24 bytes, the broker takes 23");
    CHECK(why_not(row, {}, 0) == "");

    const auto wrapped = sent(row, enveloping(conf::envelope::row)).body.size();
    CHECK(sent(row, enveloping(conf::envelope::row)).row.body_size == wrapped);
    CHECK(why_not(row, enveloping(conf::envelope::row), wrapped) == "");
    CHECK(why_not(row, enveloping(conf::envelope::row), wrapped - 1) != "");

    CHECK_FALSE(relay::over_limit(24, 0));
    CHECK_FALSE(relay::over_limit(24, 24));
    CHECK(relay::over_limit(25, 24));
}

TEST_CASE("an id that is too long for AMQP is sent whole as a header, and as its digest") {
    auto row = with_headers(R"({"outbox-id": "mine", "other": 1})");
    row.id = std::string(255, 'a');
    CHECK(sent(row).message_id == row.id);
    CHECK(sent(row).headers["outbox-id"] == "mine");

    row.id = std::string(256, 'a');
    const auto made = sent(row);
    CHECK(made.message_id == "sha256:02d7160d77e18c6447be80c2e355c7ed4388545271702c50253b0914c65ce5fe");
    CHECK(made.headers == json{{"outbox-id", row.id}, {"other", 1}});
    CHECK(made.row.id == row.id);
}

TEST_CASE("headers pass with values of every type") {
    const auto* text = R"({"s": "x\u0000y", "i": -9223372036854775808, "u": 18446744073709551615, "f": 1.5, "b": true,
                           "n": null, "a": [1, ["x"]], "o": {"k": {}}, "": 0})";
    CHECK(sent(with_headers(text)).headers == json::parse(text));
    CHECK(sent(with_headers("{}")).headers == json::object());
    CHECK(sent(with_headers("null")).headers == json::object());
    CHECK(sent(with_headers("")).headers == json::object());
}

TEST_CASE("headers that are no JSON object are refused") {
    CHECK(why_not(with_headers("[1]")) == "headers are a JSON array, not an object");
    CHECK(why_not(with_headers("5")) == "headers are a JSON number, not an object");
    for (const auto* broken : {"{", "{\"a\"}", "{'a': 1}", "{\"a\": 1,}", "{\"a\": 1e999}", "{\"a\": NaN}", "{} {}",
                               "secret", "{\"a\": \"\\uD800\"}"}) {
        CHECK(why_not(with_headers(broken)) == "headers are not JSON");
    }
    CHECK(why_not(with_headers("{\"a\": \"\xFF\"}")) == "headers are not UTF-8 text");
}

TEST_CASE("headers may be nested 32 levels deep, and ten million can't hurt") {
    CHECK(why_not(with_headers("{\"a\":" + nested(31) + "}")) == "");
    CHECK(why_not(with_headers("{\"a\":" + nested(32) + "}")) == "headers are nested deeper than 32 levels");
    CHECK(why_not(with_headers("{\"a\":" + nested(31) + ",\"b\":" + nested(31) + "}")) == "");
    CHECK(why_not(with_headers("{\"a\": \"\\\"" + std::string(100, '[') + "\"}")) == "");
    CHECK(why_not(with_headers(std::string(1'000'000, '['))) == "headers are nested deeper than 32 levels");
    CHECK(why_not(with_headers(nested(10'000'000))) == "headers are 20000000 bytes of JSON, at most 1048576 are read");
}

TEST_CASE("a header's name has at most 255 bytes, at any depth") {
    const auto named = [](std::size_t size) { return json{{std::string(size, 'n'), 1}}; };
    CHECK(why_not(with_headers(named(255).dump())) == "");
    CHECK(why_not(with_headers(named(256).dump())) == "headers have a name of 256 bytes, AMQP allows 255");
    CHECK(why_not(with_headers(json{{"a", json::array({1, named(256)})}}.dump())) != "");
}

TEST_CASE("headers have to fit one frame of AMQP") {
    // One string takes: the table's type and length, the name's length and byte, the value's type and length.
    const auto room = relay::max_headers_size - 1 - 4 - 1 - 1 - 1 - 4;
    const auto sized = [](std::size_t size) { return json{{"a", std::string(size, 'x')}}.dump(); };
    CHECK(why_not(with_headers(sized(room))) == "");
    CHECK(why_not(with_headers(sized(room + 1))) == "headers take 126977 bytes in AMQP, at most 126976 fit one frame");
    CHECK(why_not(with_headers(json{{"a", json::array_t(20'000, 1)}}.dump())) != "");
    CHECK(why_not(with_headers("{\"a\": 1" + std::string(900'000, ' ') + "}")) == "");

    auto row = with_headers(sized(room - 500));
    row.id = std::string(600, 'i');  // it becomes a header too
    CHECK(why_not(row) != "");
}

TEST_CASE("the row's properties go before the settings") {
    auto row = sample();
    row.properties = R"({"content_type": "text/csv", "app_id": "shop", "priority": 3, "delivery_mode": 1})";
    const auto made = sent(row);
    CHECK(made.content_type == "text/csv");
    CHECK(made.app_id == "shop");
    CHECK(made.priority == 3);
    CHECK(made.delivery_mode == 1);
    row.properties = R"({"priority": "high"})";
    CHECK(why_not(row).starts_with("property priority is \"high\""));
}

TEST_CASE("what the row envelope sends is JSON, whatever its body was") {
    auto row = sample();
    row.properties = R"({"content_type": "text/csv", "content_encoding": "utf-8", "type": "order"})";
    const auto made = sent(row, enveloping(conf::envelope::row));
    CHECK(json::parse(made.body)["msg"] == row.body);
    CHECK(made.content_type == "application/json");
    CHECK_FALSE(made.content_encoding);
    CHECK(made.type == "order");
    row.body = "secret \xFF";
    CHECK(why_not(row, enveloping(conf::envelope::row)).starts_with("msg is not UTF-8"));
}

TEST_CASE("a cloud event leaves body and content type alone") {
    auto row = with_headers(R"({"traceparent": "00-ab"})");
    row.body = "\xFF\0"s;
    const auto made = sent(row, enveloping(conf::envelope::cloudevents));
    CHECK(made.body == row.body);
    CHECK(made.content_type == "application/json");
    CHECK(made.headers["cloudEvents_id"] == "4f1c");
    CHECK(made.headers["traceparent"] == "00-ab");
}

TEST_CASE("settings that would make every message impossible are refused at once") {
    conf::message settings;
    settings.content_type = std::string(256, 'x');
    CHECK_THROWS_AS(composer{settings}, std::invalid_argument);
    settings.content_type.resize(255);
    CHECK_NOTHROW(composer{settings});
    settings.app_id = std::string(256, 'x');
    CHECK_THROWS_AS(composer{settings}, std::invalid_argument);
}

TEST_CASE("whatever headers and properties hold, a row is composed or refused, and nothing is thrown") {
    const std::string seed_text =
        R"({"content_type": "a", "priority": 5, "x": [1.5, {"y": null}], "expiration": "60", "t": true})";
    const std::string bits = "{}[]\":,\\u0019-+eE.ntf \x80\xFF\xC3\xA4";
    for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        auto text = seed_text;
        for (auto changes = random() % 6 + 1; changes > 0; --changes) {
            const auto at = random() % text.size();
            if (random() % 2)
                text[at] = bits[random() % bits.size()];
            else
                text.insert(at, text.substr(random() % text.size(), random() % 20));
        }
        auto row = with_headers(text);
        if (random() % 2) std::swap(row.headers, row.properties);
        why_not(row, enveloping(static_cast<conf::envelope>(random() % 3)));
    }
}
