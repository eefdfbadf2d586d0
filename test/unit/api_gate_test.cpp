#include "sidecar/api/gate.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <sstream>

#include "sidecar/api/body.hpp"
#include "sidecar/api/front.hpp"
#include "sidecar/api/shown_body.hpp"
#include "sidecar/api/static_files.hpp"

using namespace sidecar::api;
using namespace std::chrono_literals;

namespace {

constexpr auto operator_token = "Bearer operator-0123456789";
constexpr auto viewer_token = "Bearer viewer-0123456789";
constexpr auto consumer_token = "Bearer consumer-0123456789";

struct scene {
    scene() {
        std::ofstream(file) << "operator alice operator-0123456789\nviewer bob viewer-0123456789\n"
                               "consumer shop consumer-0123456789\n";
        REQUIRE(chmod(file.c_str(), 0600) == 0);
        conf::http_access settings;
        settings.tokens_file = file;
        who.apply(settings);
        const auto echo = [](const request& asked) {
            return json_answer({{"who", asked.who.name}, {"body", asked.body ? *asked.body : json()}});
        };
        routes.add_quick("GET", "/look", needs::viewing, echo);
        routes.add_quick("POST", "/change", needs::operating, echo);
        routes.add_quick("POST", "/report", needs::reporting, echo);
        routes.add_quick("POST", "/session", needs::nothing, echo);
        routes.add_quick("GET", "/broken", needs::nothing,
                         [](const request&) -> answer { throw std::runtime_error("it broke"); });
        routes.add("GET", "/busy", needs::nothing,
                   [](const request&, outbox::store&) -> answer { throw outbox::store_busy("deadlock"); });
        routes.add("GET", "/away", needs::nothing,
                   [](const request&, outbox::store&) -> answer { throw outbox::store_unavailable("gone"); });
        routes.add("GET", "/slow", needs::nothing, [this](const request&, outbox::store&) {
            ++slow;
            released.get_future().wait();
            return json_answer({});
        });
    }
    ~scene() { std::remove(file.c_str()); }

    answer ask(const std::string& method, const std::string& path, const std::string& authorization = {},
               const std::string& body = {}) {
        request_head head;
        head.method = method;
        head.target = path;
        head.host = "localhost";
        head.authorization = authorization;
        head.content_type = body.empty() ? "" : "application/json; charset=utf-8";
        head.has_body = !body.empty();
        return ask(head, body);
    }
    answer ask(const request_head& head, std::string body = {}) {
        auto decided = front.admit(head);
        if (auto* refusal = std::get_if<answer>(&decided)) return *refusal;
        std::promise<answer> result;
        front.handle(std::get<admitted>(std::move(decided)), std::move(body),
                     [&](answer&& one) { result.set_value(std::move(one)); });
        return result.get_future().get();
    }
    unsigned status(const std::string& method, const std::string& path, const std::string& authorization = {},
                    const std::string& body = {}) {
        return ask(method, path, authorization, body).status;
    }

    static std::unique_ptr<outbox::store> no_store() {
        conf::database settings;
        settings.url = "sqlite:///tmp/there-is-no-outbox-here.db";  // is never connected to
        return outbox::make_store(settings, {});
    }

    const std::string file = "api-gate-tokens-" + random_secret();
    std::ostringstream lines;
    sidecar::log out{{}, lines, false};
    relay::steady_clock clock;
    sidecar::api::access who{clock, out};
    router routes;
    std::promise<void> released;
    std::atomic<int> slow{0};
    worker_pool pool{no_store, {1, 2}};
    const gate front{routes, who, pool, {"outbox.example.com"}, out};
};

std::string header(const answer& of, std::string_view name) {
    for (const auto& [one, value] : of.headers) {
        if (one == name) return value;
    }
    return {};
}

}  // namespace

TEST_SUITE("api gate") {
    TEST_CASE("each role gets what it is there for: 401 without a token, 403 with the wrong one") {
        scene here;
        CHECK(here.status("GET", "/api/v1/look") == 401);
        CHECK(header(here.ask("GET", "/api/v1/look"), "WWW-Authenticate") == "Bearer");
        CHECK(here.status("GET", "/api/v1/look", "Bearer wrong-0123456789") == 401);
        CHECK(here.status("GET", "/api/v1/look", "Basic dXNlcjpwYXNz") == 401);
        CHECK(here.status("GET", "/api/v1/look", viewer_token) == 200);
        CHECK(here.status("GET", "/api/v1/look", operator_token) == 200);
        CHECK(here.status("GET", "/api/v1/look", consumer_token) == 403);
        CHECK(here.status("POST", "/api/v1/change", viewer_token, "{}") == 403);
        CHECK(here.status("POST", "/api/v1/change", consumer_token, "{}") == 403);
        CHECK(here.status("POST", "/api/v1/change", operator_token, "{}") == 200);
        CHECK(here.status("POST", "/api/v1/report", consumer_token, "{}") == 200);
        CHECK(here.status("POST", "/api/v1/report", viewer_token, "{}") == 403);
    }

    TEST_CASE("a session in a cookie needs the CSRF token to change something, and none to look") {
        scene here;
        const auto session = std::get<logged_in>(here.who.login("operator-0123456789", "::1"));
        request_head head;
        head.target = "/api/v1/look";
        head.method = "GET";
        head.host = "outbox.example.com";
        head.cookie = "a=b; outbox_session=" + session.session;
        CHECK(here.ask(head).status == 200);
        head.method = "POST";
        head.target = "/api/v1/change";
        head.content_type = "application/json";
        CHECK(here.ask(head).status == 403);
        head.csrf_token = "wrong";
        CHECK(here.ask(head).status == 403);
        head.csrf_token = session.who.csrf_token;
        CHECK(here.ask(head).status == 200);
        head.fetch_site = "cross-site";
        CHECK(here.ask(head).status == 403);
        head.fetch_site = "same-origin";
        head.origin = "http://outbox.example.com";
        CHECK(here.ask(head).status == 200);
        // A login needs none: who logs in may have an old session.
        head.target = "/api/v1/session";
        head.csrf_token.clear();
        CHECK(here.ask(head).status == 200);
        head.content_type = "text/plain";
        CHECK(here.ask(head).status == 403);
    }

    TEST_CASE("hosts, paths, methods and bodies that are not meant are refused with the right words") {
        scene here;
        request_head head;
        head.method = "GET";
        head.target = "/api/v1/look";
        head.host = "evil.example";
        head.authorization = viewer_token;
        CHECK(here.ask(head).status == 421);
        for (const char* path : {"/api/v1/", "/api/v1", "/api/v1/nothing", "/api/v1look", "/api/v2/look", "/look", "*",
                                 "", "/etc/passwd", "/console/../sidecar.yaml", "/console/", "/console/nothing.js",
                                 "/console/%2e%2e/x", "/console/openapi.yaml"}) {
            CAPTURE(path);
            CHECK(here.status("GET", path, viewer_token) == 404);
        }
        CHECK(here.status("DELETE", "/api/v1/look", operator_token) == 405);
        CHECK(header(here.ask("OPTIONS", "/api/v1/look", operator_token), "Allow") == "GET, HEAD");
        CHECK(here.status("POST", "/", operator_token) == 405);
        CHECK(here.status("GET", "/api/v1/look", viewer_token, "{}") == 413);
        CHECK(here.status("POST", "/api/v1/change", operator_token, "{") == 400);
        CHECK(here.status("POST", "/api/v1/change", operator_token, "") == 200);
        head = {};
        head.method = "POST";
        head.target = "/api/v1/change";
        head.host = "localhost";
        head.authorization = operator_token;
        head.has_body = true;
        head.content_type = "text/plain";
        CHECK(here.ask(head, "{}").status == 415);
        CHECK(here.status("GET", "/api/v1/look?a=%", viewer_token) == 400);
        CHECK(here.status("POST", "/api/v1/change?dry_run=true", operator_token, "{}") == 400);
    }

    TEST_CASE("what a handler throws is an answer, and the end of nobody") {
        scene here;
        CHECK(here.status("GET", "/api/v1/broken") == 500);
        CHECK(here.status("GET", "/api/v1/busy") == 503);
        CHECK(header(here.ask("GET", "/api/v1/away"), "Retry-After") == "5");
        CHECK(here.ask("GET", "/api/v1/away").content_type == "application/problem+json");
    }

    TEST_CASE("what waits for the database is bounded, and what can't wait is told when to come again") {
        scene here;
        std::vector<std::promise<answer>> results(4);
        const auto begin = [&](std::size_t i) {
            request_head head;
            head.method = "GET";
            head.target = "/api/v1/slow";
            head.host = "localhost";
            here.front.handle(std::get<admitted>(here.front.admit(head)), {},
                              [&results, i](answer&& one) { results[i].set_value(std::move(one)); });
        };
        begin(0);
        while (here.slow == 0) std::this_thread::yield();  // it is at work, and not in the queue
        for (std::size_t i = 1; i < 4; ++i) begin(i);
        const auto refused = results[3].get_future().get();
        CHECK(refused.status == 503);
        CHECK(header(refused, "Retry-After") == "1");
        // Nobody's answer is forgotten when the end comes.
        here.pool.stop();
        CHECK(results[1].get_future().get().status == 503);
        CHECK(results[2].get_future().get().status == 503);
        here.released.set_value();
        CHECK(results[0].get_future().get().status == 200);
        CHECK(here.status("GET", "/api/v1/slow") == 503);
    }

    TEST_CASE("what changes something is in the log, with who did it, and what is only looked at is not") {
        scene here;
        here.ask("GET", "/api/v1/look", viewer_token);
        CHECK(here.lines.str().empty());
        here.ask("POST", "/api/v1/change", operator_token, "{}");
        const auto line = json::parse(here.lines.str());
        CHECK(line["event"] == "api_call");
        CHECK(line["who"] == "alice");
        CHECK(line["path"] == "/change");
        CHECK(line["status"] == 200);
        const std::vector<std::string> ids(12, "x");
        CHECK(audit_of("messages", ids) == "12 messages: x, x, x, x, x, x, x, x, x, x, …");
    }

    TEST_CASE("the console comes from memory, with a tag by which it is not sent twice") {
        scene here;
        const auto page = here.ask("GET", "/");
        CHECK(page.status == 200);
        CHECK(page.content_type == "text/html; charset=utf-8");
        CHECK(header(page, "Content-Security-Policy").find("script-src 'self'") != std::string::npos);
        CHECK(here.ask("GET", "/console/index.html").body == page.body);
        request_head head;
        head.method = "GET";
        head.target = "/";
        head.host = "localhost";
        head.if_none_match = header(page, "ETag");
        CHECK(here.ask(head).status == 304);
        CHECK(here.ask(head).body.empty());
        CHECK(find_static_file("openapi.yaml") != nullptr);
    }

    TEST_CASE("a body nests no deeper than needed and says nothing twice") {
        CHECK(parse_body(R"({"a": [1, {"a": 2}]})")["a"][1]["a"] == 2);
        for (const auto& bad : {std::string("{"), std::string("\xff"), std::string(R"({"a":1,"a":2})"),
                                std::string(R"([{"b":{"a":1,"a":2}}])"), std::string(1'000'000, '['),
                                std::string("1 2"), std::string("\0", 1)})
            CHECK_THROWS_AS(parse_body(bad), problem);
        CHECK(document_of(std::string(100'000, '[') + std::string(100'000, ']')).is_string());
        CHECK(document_of(R"({"a":1})")["a"] == 1);
        CHECK(document_of(std::nullopt).is_null());
        CHECK(shown_body("{}", 2)["as"] == "json");
        CHECK(shown_body("{}", 3)["as"] == "text");
        CHECK(shown_body("\xff\x01", 2)["text"] == "ff01");
        CHECK(shown_body("\xc3", 2)["text"] == "");
    }

    TEST_CASE("how the API is reached is checked before it is: no stranger without a token") {
        const auto faults = [](const char* api, const char* tokens, const char* cert = "", const char* key = "") {
            conf::http settings;
            settings.metrics = "127.0.0.1:9464";
            settings.api = api;
            settings.access.tokens_file = tokens;
            settings.access.cert_file = cert;
            settings.access.key_file = key;
            std::string where;
            for (const auto& [setting, what] : faults_of(settings)) where += setting + ' ';
            return where;
        };
        CHECK(faults("", "").empty());
        for (const char* own : {"127.0.0.1:8080", "[::1]:8080", "127.1.2.3:0"}) CHECK(faults(own, "").empty());
        for (const char* open : {"0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080"}) {
            CHECK(faults(open, "") == "http.api ");
            CHECK(faults(open, "", "c", "k") == "http.api ");
            CHECK(faults(open, "t").empty());
        }
        CHECK(faults("127.0.0.1:8080", "", "c") == "http.access ");
        CHECK(faults("127.0.0.1:9464", "") == "http.api ");
    }
}

TEST_SUITE("api sampler") {
    struct turned_clock final : relay::clock {
        relay::time_point now() const override { return time; }
        relay::time_point time{1h};
    };

    TEST_CASE("a step has the rates of its time, and the lags of what was confirmed in it") {
        turned_clock clock;
        sampler all(clock);
        all.watch(true);
        all.tick(0);
        all.database_clock(1'000'000, clock.time, 0us);
        std::vector<relay::attempt> batch;
        relay::delivery row;
        row.due_since = 1'000'000 - 100;
        for (int i = 0; i < 100; ++i) batch.push_back({row, relay::confirmed{}});
        batch.push_back({row, relay::refused{}});
        all.attempted_all(batch);
        all.carrying(7);
        clock.time += 5s;
        all.tick(5'000);
        const auto points = all.samples(sampler::short_step, 100);
        REQUIRE(points.size() == 1);
        CHECK(points[0].time == 5'000);
        CHECK(points[0].confirmed_per_s == 20);
        CHECK(points[0].failed_attempts_per_s == doctest::Approx(0.2));
        CHECK(points[0].in_flight == 7);
        CHECK(*points[0].lag_p50_ms >= 100);
        CHECK(*points[0].lag_p99_ms < 116);
        CHECK_FALSE(points[0].due);
        clock.time += 5s;
        all.tick(10'000);
        CHECK(all.samples(sampler::short_step, 1)[0].confirmed_per_s == 0);
        CHECK_FALSE(all.samples(sampler::short_step, 1)[0].lag_p50_ms);
        CHECK(all.state().totals.confirmed == 100);
        CHECK(all.state().totals.refused == 1);
    }

    TEST_CASE("it keeps an hour in short steps and a day in long ones, and no more") {
        turned_clock clock;
        sampler all(clock);
        all.watch(true);
        for (int i = 0; i < 25 * 3'600; ++i) {
            clock.time += 1s;
            all.tick(i);
        }
        CHECK(all.samples(sampler::short_step, 100'000).size() == 720);
        CHECK(all.samples(sampler::long_step, 100'000).size() == 1'440);
        CHECK(all.samples(sampler::short_step, 3).size() == 3);
        sampler off(clock);
        off.tick(0);
        clock.time += 10s;
        off.tick(10'000);
        CHECK(off.samples(sampler::short_step, 100).empty());
    }
}
