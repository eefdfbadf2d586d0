#include "sidecar/http_server.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "test/support/http.hpp"

using namespace std::chrono_literals;
using support::raw_connection;

namespace {

sidecar::http_routes routes() {
    sidecar::http_routes all;
    all.add("/hello", [] { return sidecar::http_answer{.body = "hello\n"}; });
    all.add("/large", [] { return sidecar::http_answer{.body = std::string(64 * 1024 * 1024, 'x')}; });
    all.add("/broken", []() -> sidecar::http_answer { throw std::runtime_error("it broke"); });
    return all;
}

struct served {
    explicit served(sidecar::http_limits limits = {}) : server({"127.0.0.1", 0}, routes(), limits) {}
    ~served() { stop(); }

    void stop() {
        server.stop();
        if (thread.joinable()) thread.join();
    }
    std::uint16_t port() const { return port_; }
    /// What a connection of its own gets for these bytes.
    support::http_answer say(std::string_view bytes, bool head = false) const {
        raw_connection one(port_);
        one.send(bytes);
        return one.answer(head);
    }

    sidecar::http_server server;
    const std::uint16_t port_ = server.where().port;
    std::thread thread{[this] { server.run(); }};
};

std::string get(const std::string& path, const std::string& fields = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

}  // namespace

TEST_SUITE("http server") {
    TEST_CASE("GET brings a body and its length, HEAD the length alone, and the connection is kept") {
        const served here;
        raw_connection one(here.port());
        one.send(get("/hello"));
        const auto first = one.answer();
        CHECK(first.status == 200);
        CHECK(first.body == "hello\n");
        CHECK(first.fields.at("content-type") == "text/plain; charset=utf-8");
        one.send("HEAD /hello?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto head = one.answer(true);
        CHECK(head.status == 200);
        CHECK(head.fields.at("content-length") == "6");
        one.send(get("/hello") + get("/nothing") + get("http://x/hello"));  // all at once
        CHECK(one.answer().body == "hello\n");
        CHECK(one.answer().status == 404);
        CHECK(one.answer().body == "hello\n");
        one.send(get("/hello", "Connection: close\r\n"));
        CHECK(one.answer().status == 200);
        CHECK(one.is_closed(5s));
    }

    TEST_CASE("HTTP/1.0 needs no Host, and its connections end unless they ask to be kept") {
        const served here;
        raw_connection one(here.port());
        one.send("GET /hello HTTP/1.0\r\n\r\n");
        CHECK(one.answer().status == 200);
        CHECK(one.is_closed(5s));
    }

    TEST_CASE("what is refused is refused with the right words") {
        const served here;
        CHECK(here.say(get("/nothing")).status == 404);
        CHECK(here.say(get("/hell")).status == 404);
        CHECK(here.say(get("/broken")).status == 500);
        for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"}) {
            CAPTURE(method);
            const auto answer = here.say(std::string(method) + " /hello HTTP/1.1\r\nHost: x\r\n\r\n");
            CHECK(answer.status == 405);
            CHECK(answer.fields.at("allow") == "GET, HEAD");
        }
        CHECK(here.say("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").status == 405);
        CHECK(here.say(get("/hello", "Content-Length: 3\r\n") + "abc").status == 413);
        CHECK(here.say(get("/hello", "Content-Length: 99999999999\r\n")).status == 413);
        CHECK(here.say(get("/hello", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n").status == 413);
        CHECK(here.say("GET /hello HTTP/1.1\r\n\r\n").status == 400);
        CHECK(here.say("GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n").status == 400);
        CHECK(here.say("GET /hello HTTP/2.0\r\nHost: x\r\n\r\n").status == 505);
        CHECK(here.say(get("/hello", "X: " + std::string(9'000, 'x') + "\r\n")).status == 431);
        CHECK(here.say("GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n").status == 431);
        CHECK(here.say(std::string(100'000, 'x')).status >= 400);
        CHECK(here.say(get("/hello", "X: " + std::string(7'000, 'x') + "\r\n")).status == 200);
    }

    TEST_CASE("what is no HTTP is answered with 400 and the end, and harms nobody") {
        using namespace std::string_literals;
        const served here;
        for (const auto& bytes :
             {"\0\0\0\0\r\n\r\n"s, "hello\r\n\r\n"s, "GET\r\n\r\n"s, "GET /hello\r\n\r\n"s,
              "GET  /hello HTTP/1.1\r\n\r\n"s, "GET /hello HTTP/1.1\nHost: x\n\n"s,
              "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n"s,
              "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"s,
              "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"s,
              "GET /hello HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n"s, "GET /he\x01llo HTTP/1.1\r\nHost: x\r\n\r\n"s,
              "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS?\r\n\r\n"s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s}) {
            CAPTURE(bytes);
            raw_connection one(here.port());
            one.send(bytes);
            const auto answer = one.rest();
            CHECK((answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 505 ")));
            CHECK(answer.find("Connection: close") != std::string::npos);
        }
        CHECK(here.say(get("/hello")).status == 200);
    }

    TEST_CASE("random bytes, whole or cut off, harm nobody") {
        const served here;
        std::mt19937_64 random(1);  // NOLINT: the same each time
        for (int round = 0; round < 300; ++round) {
            auto bytes = get("/hello", "Accept: */*\r\nX-Y: z\r\n");
            for (int change = 0; change < 3; ++change)
                bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
            bytes.resize(random() % (bytes.size() + 1));
            raw_connection one(here.port());
            one.send(bytes);
        }
        CHECK(here.say(get("/hello")).status == 200);
    }

    TEST_CASE("a head that trickles is given up with 408, however steadily; one that never begins, in silence") {
        sidecar::http_limits limits;
        limits.head = 300ms;
        const served here(limits);
        raw_connection silent(here.port());
        raw_connection slow(here.port());
        std::string said;
        for (int i = 0; i < 200 && slow.send(i == 0 ? "GET /hello HTTP/1.1\r\n" : "X: y\r\n"); ++i) {
            said = slow.rest(20ms);
            if (!said.empty()) break;
        }
        CHECK(said.starts_with("HTTP/1.1 408 "));
        CHECK(silent.is_closed(10s));
    }

    TEST_CASE("a kept connection is closed when nothing comes for long enough") {
        sidecar::http_limits limits;
        limits.idle = 200ms;
        const served here(limits);
        raw_connection one(here.port());
        one.send(get("/hello"));
        CHECK(one.answer().status == 200);
        CHECK(one.is_closed(10s));
    }

    TEST_CASE("whoever does not read his answer is left after a while") {
        sidecar::http_limits limits;
        limits.write = 300ms;
        const served here(limits);
        raw_connection one(here.port());
        one.send(get("/large"));
        // By then the server has given up: what it has not sent never comes.
        std::this_thread::sleep_for(1s);  // not reading is what the test is about
        CHECK(one.rest().size() < 64 * 1024 * 1024);
        CHECK(here.say(get("/hello")).status == 200);
    }

    TEST_CASE("nobody keeps others out by holding connections: the oldest gives way to the newest") {
        sidecar::http_limits limits;
        limits.connections = 4;
        const served here(limits);
        std::vector<std::unique_ptr<raw_connection>> held;
        for (int i = 0; i < 20; ++i) {
            held.push_back(std::make_unique<raw_connection>(here.port()));
            held.back()->send("GET /hello HTTP/1.1\r\n");  // and no more
        }
        CHECK(here.say(get("/hello")).status == 200);
        CHECK(held.front()->is_closed(5s));
        held.back()->send("Host: x\r\n\r\n");
        CHECK(held.back()->answer().status == 200);
    }

    TEST_CASE("a stop closes idle connections at once and waits for nobody for long") {
        served here;
        raw_connection idle(here.port()), busy(here.port());
        idle.send(get("/hello"));
        CHECK(idle.answer().status == 200);
        busy.send("GET /hello HTTP/1.1\r\n");
        const auto began = std::chrono::steady_clock::now();
        here.stop();
        CHECK(std::chrono::steady_clock::now() - began < 5s);
        CHECK(idle.is_closed(1s));
        CHECK_THROWS(raw_connection(here.port()));
    }

    TEST_CASE("an address in use is told from one that is not this machine's") {
        const served here;
        try {
            sidecar::http_server second({"127.0.0.1", here.port()}, routes());
            FAIL("two on one address");
        } catch (const sidecar::http_unavailable& error) {
            CHECK(error.in_use());
            CHECK(std::string(error.what()).find("127.0.0.1:" + std::to_string(here.port())) != std::string::npos);
        }
        try {
            sidecar::http_server elsewhere({"192.0.2.1", 0}, routes());
            FAIL("an address of somebody else");
        } catch (const sidecar::http_unavailable& error) {
            CHECK_FALSE(error.in_use());
        }
    }
}
