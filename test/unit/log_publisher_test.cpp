#include "relay/log_publisher.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using relay::attempt;
using relay::outgoing;

outgoing message_of(const std::string& id, const std::string& body) {
    outgoing message;
    message.row = {.id = id, .exchange = "orders", .routing_key = "created", .body_size = body.size()};
    message.message_id = id;
    message.body = body;
    return message;
}

struct piped {
    piped() { REQUIRE(pipe2(ends.data(), O_NONBLOCK) == 0); }
    ~piped() {
        for (const int end : ends) close(end);
    }
    int in() const { return ends[1]; }
    std::string read() const {
        std::string text(1 << 16, '\0');
        const auto got = ::read(ends[0], text.data(), text.size());
        return got < 0 ? "" : text.substr(0, static_cast<std::size_t>(got));
    }
    std::array<int, 2> ends{};
};

struct heard final : relay::observer {
    void broker_down(std::string_view why, std::chrono::milliseconds) override { down.emplace_back(why); }
    void broker_warning(std::string_view text) override { warnings.emplace_back(text); }
    std::vector<std::string> down, warnings;
};

}  // namespace

TEST_CASE("a printed line has what a broker would be given, and no property that is not set") {
    auto message = message_of("a1", "{\"order\": 42}");
    message.timestamp_ms = 1'700'000'000'123;
    message.content_type = "application/json";
    message.headers = {{"traceparent", "00-1"}, {"n", 7}};
    message.priority = 3;
    CHECK(relay::log_line(message) ==
          R"({"exchange":"orders","routing_key":"created","message_id":"a1","timestamp_ms":1700000000123,)"
          R"("content_type":"application/json","priority":3,"delivery_mode":2,)"
          R"("headers":{"n":7,"traceparent":"00-1"},"body":"{\"order\": 42}"})");
}

TEST_CASE("a printed line stays one line of JSON, whatever the message holds") {
    const auto line = relay::log_line(message_of("a\n\"b", std::string("x\ny\0z", 5)));
    CHECK(line.find('\n') == std::string::npos);
    CHECK(nlohmann::json::parse(line)["body"] == std::string("x\ny\0z", 5));
    const auto bytes = nlohmann::json::parse(relay::log_line(message_of("a", "\xff\xfe\x01")));
    CHECK(bytes["body_base64"] == "//4B");
    CHECK_FALSE(bytes.contains("body"));
    const auto empty = nlohmann::json::parse(relay::log_line(message_of("\xff", "")));
    CHECK(empty["body"] == "");
    CHECK(empty["message_id"] == "\xef\xbf\xbd");
}

TEST_CASE("what was printed counts as confirmed, in order, after a warning that nobody confirms") {
    const piped out;
    heard watch;
    const auto publisher = relay::make_log_publisher(out.in(), watch);
    std::vector<attempt> outcomes;
    CHECK(publisher->room() == 0);
    publisher->poll(0ms, outcomes);
    CHECK(publisher->state() == relay::link::up);
    REQUIRE(watch.warnings.size() == 1);
    CHECK(watch.warnings[0].find("nobody") != std::string::npos);

    publisher->send(message_of("a", "1"), outcomes);
    publisher->send(message_of("b", "2"), outcomes);
    CHECK(outcomes.empty());
    CHECK(publisher->outstanding() == 2);
    publisher->poll(0ms, outcomes);
    CHECK(publisher->outstanding() == 0);
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].row.id == "a");
    CHECK(outcomes[1].row.id == "b");
    for (const auto& one : outcomes) CHECK(std::holds_alternative<relay::confirmed>(one.result));
    const auto text = out.read();
    CHECK(text == relay::log_line(message_of("a", "1")) + "\n" + relay::log_line(message_of("b", "2")) + "\n");
}

TEST_CASE("what could not be printed whole is not confirmed, and what is printed next begins a line") {
    const piped out;
    heard watch;
    const auto publisher = relay::make_log_publisher(out.in(), watch);
    std::vector<attempt> outcomes;
    publisher->poll(0ms, outcomes);
    publisher->send(message_of("a", std::string(1 << 20, 'x')), outcomes);  // more than a pipe holds
    publisher->poll(0ms, outcomes);
    REQUIRE(outcomes.size() == 1);
    CHECK(std::get<relay::unknown>(outcomes[0].result).maybe_sent);
    CHECK(publisher->state() == relay::link::down);
    CHECK(watch.down.size() == 1);
    publisher->send(message_of("b", "2"), outcomes);
    CHECK_FALSE(std::get<relay::unknown>(outcomes.back().result).maybe_sent);

    out.read();
    outcomes.clear();
    while (publisher->state() == relay::link::down) publisher->poll(50ms, outcomes);
    publisher->send(message_of("c", "3"), outcomes);
    publisher->poll(0ms, outcomes);
    CHECK(std::holds_alternative<relay::confirmed>(outcomes.at(0).result));
    CHECK(out.read() == "\n" + relay::log_line(message_of("c", "3")) + "\n");
    CHECK(watch.warnings.size() == 1);
}
