#include "sidecar/api/access.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "conf/load.hpp"
#include "sidecar/api/base64url.hpp"

using namespace sidecar::api;
using namespace std::chrono_literals;

namespace {

constexpr auto operator_token = "0123456789abcdef";
constexpr auto viewer_token = "fedcba9876543210";

struct turned_clock final : relay::clock {
    relay::time_point now() const override { return time; }
    relay::time_point time{1h};
};

/// A file that is there as long as this object.
struct written_file {
    explicit written_file(const std::string& text) { write(text); }
    ~written_file() { std::remove(path.c_str()); }
    /// As editors and Kubernetes do it: another file under the same name.
    void write(const std::string& text) const {
        std::ofstream(path + ".new") << text;
        REQUIRE(std::rename((path + ".new").c_str(), path.c_str()) == 0);
        REQUIRE(chmod(path.c_str(), 0600) == 0);
    }
    const std::string path = "api-tokens-" + random_secret();
};

std::string problems_of(std::string_view text) {
    try {
        parse_tokens("tokens", text);
        return {};
    } catch (const conf::invalid& error) {
        return error.what();
    }
}

struct scene {
    scene() {
        conf::http_access settings;
        settings.tokens_file = file.path;
        who.apply(settings);
    }
    std::string role_of(const std::optional<std::string>& bearer, std::string_view cookie = {}) {
        const auto known = who.identify(bearer, cookie, "::1");
        return known.who.as ? std::string(name_of(*known.who.as)) + " " + known.who.name : "nobody";
    }
    std::string log_in(std::string_view token = operator_token) {
        return std::get<logged_in>(who.login(token, "192.0.2.1")).session;
    }

    written_file file{std::string("operator alice ") + operator_token + "\nviewer bob " + viewer_token + "\n"};
    turned_clock clock;
    std::ostringstream lines;
    sidecar::log out{{}, lines, false};
    sidecar::api::access who{clock, out};
};

}  // namespace

TEST_SUITE("api tokens") {
    TEST_CASE("a line has a role, a name and a token; the rest is comment") {
        const auto all = parse_tokens("tokens",
                                      "# who may\n\n  operator\talice 0123456789abcdef\r\nviewer bob fedcba9876543210\n"
                                      "consumer shop aaaaaaaaaaaaaaaaaaaa");
        REQUIRE(all.size() == 3);
        CHECK(all[0].as == role::operating);
        CHECK(all[1].name == "bob");
        CHECK(find_token(all, "0123456789abcdef") == &all[0]);
        CHECK(find_token(all, "aaaaaaaaaaaaaaaaaaaa") == &all[2]);
        for (const char* wrong : {"", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef0", "alice"})
            CHECK(find_token(all, wrong) == nullptr);
    }

    TEST_CASE("every fault is told with its line, and no token ever") {
        CHECK(problems_of("admin alice 0123456789abcdef") ==
              "tokens:1: the first word is no role: expected viewer, operator or consumer");
        CHECK(problems_of("\nviewer bob short") == "tokens:2: the token is shorter than 16 characters");
        CHECK(problems_of("viewer bob") == "tokens:1: expected a role, a name and a token, with spaces between them");
        CHECK(problems_of("viewer a 0123456789abcdef\nviewer b 0123456789abcdef\n") ==
              "tokens:2: the same token as in line 1");
        CHECK(problems_of("viewer b 0123456789abcd\xc3\xa9") ==
              "tokens:1: the token has other characters than ASCII's");
        CHECK(problems_of("viewer b\xff 0123456789abcdef") == "tokens:1: the name is not UTF-8");
        CHECK(problems_of("# nobody\n") == "tokens: has no token in it: nobody could use the API");
        const auto both = problems_of("x y\n0123456789abcdef viewer bob");
        CHECK(both.find("tokens:1: ") != std::string::npos);
        CHECK(both.find("tokens:2: ") != std::string::npos);
        CHECK(both.find("0123456789abcdef") == std::string::npos);
        CHECK_THROWS_AS(load_tokens("/nonexistent/tokens"), conf::invalid);
        CHECK_THROWS_AS(load_tokens("/"), conf::invalid);
    }

    TEST_CASE("base64url is what RFC 4648 says, in one way only") {
        for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{
                 {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}}) {
            CHECK(base64url(bytes) == text);
            CHECK(from_base64url(text) == bytes);
        }
        for (const char* wrong : {"A", "Zh", "Zg==", "Zm+v", "Zm9v\n"}) CHECK(from_base64url(wrong) == std::nullopt);
    }
}

TEST_SUITE("api access") {
    TEST_CASE("without a tokens file everyone is an operator; with one, who has a token or a session") {
        turned_clock clock;
        std::ostringstream lines;
        sidecar::log out({}, lines, false);
        sidecar::api::access open(clock, out);
        CHECK_FALSE(open.required());
        CHECK(open.identify({}, {}, "::1").who.name == "anyone");
        CHECK(open.identify({}, {}, "::1").who.as == role::operating);
        CHECK(open.identify({}, {}, "::1").by == proof::none);

        scene here;
        CHECK(here.who.required());
        CHECK(here.role_of({}) == "nobody");
        CHECK(here.role_of(operator_token) == "operator alice");
        CHECK(here.role_of(viewer_token) == "viewer bob");
        CHECK(here.role_of("") == "nobody");
        const auto session = here.log_in();
        CHECK(here.role_of({}, session) == "operator alice");
        CHECK(here.role_of(viewer_token, session) == "viewer bob");
        CHECK(here.role_of("a wrong one", session) == "nobody");
        CHECK(here.role_of({}, operator_token) == "nobody");
        here.who.logout(session);
        CHECK(here.role_of({}, session) == "nobody");
    }

    TEST_CASE("a session ends after its time, and with the token that began it") {
        scene here;
        const auto session = here.log_in();
        here.clock.time += sessions::lifetime - 1s;
        CHECK(here.role_of({}, session) == "operator alice");
        here.clock.time += 1s;
        CHECK(here.role_of({}, session) == "nobody");

        const auto other = here.log_in();
        here.file.write(std::string("viewer alice ") + operator_token + "\n");
        CHECK(here.role_of({}, other) == "operator alice");  // not looked at again within the second
        here.clock.time += 1s;
        CHECK(here.role_of({}, other) == "viewer alice");
        here.file.write(std::string("viewer bob ") + viewer_token + "\n");
        here.who.refresh();
        CHECK(here.role_of({}, other) == "nobody");
        CHECK(here.role_of(operator_token) == "nobody");
    }

    TEST_CASE("a file with faults changes nothing, and the log says where they are") {
        scene here;
        here.file.write("viewer bob short\n");
        here.who.refresh();
        CHECK(here.role_of(operator_token) == "operator alice");
        CHECK(here.lines.str().find(here.file.path + ":1") != std::string::npos);
        const auto said = here.lines.str();
        here.who.refresh();
        CHECK(here.lines.str() == said);  // once
        REQUIRE(std::remove(here.file.path.c_str()) == 0);
        here.who.refresh();
        CHECK(here.role_of(operator_token) == "operator alice");
    }

    TEST_CASE("who may read the tokens besides their owner is warned of") {
        scene here;
        CHECK(here.lines.str().find("tokens_world_readable") == std::string::npos);
        REQUIRE(chmod(here.file.path.c_str(), 0644) == 0);
        conf::http_access settings;
        settings.tokens_file = here.file.path;
        here.who.apply(settings);
        CHECK(here.lines.str().find("tokens_world_readable") != std::string::npos);
        CHECK(here.lines.str().find(operator_token) == std::string::npos);
    }

    TEST_CASE("whoever tries one token after the other has to wait, and nobody else has to") {
        scene here;
        for (int i = 0; i < login_throttle::most_failures; ++i)
            CHECK(std::holds_alternative<wrong_token>(here.who.login("a wrong one", "192.0.2.1")));
        const auto wait = here.who.login(operator_token, "192.0.2.1");
        REQUIRE(std::holds_alternative<too_many_logins>(wait));
        CHECK(std::get<too_many_logins>(wait).wait == 60s);
        CHECK(std::holds_alternative<logged_in>(here.who.login(operator_token, "192.0.2.2")));
        here.clock.time += 60s;
        CHECK(std::holds_alternative<logged_in>(here.who.login(operator_token, "192.0.2.1")));
    }

    TEST_CASE("what is remembered of strangers and of sessions is bounded") {
        login_throttle logins;
        const relay::time_point now{1h};
        for (std::size_t i = 0; i < 2 * login_throttle::most_addresses; ++i)
            logins.failed(
                "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255),
                now + std::chrono::milliseconds(i));
        for (int i = 0; i < login_throttle::most_failures; ++i) logins.failed("2001:db8::1", now + 20s);
        CHECK(logins.wait("2001:db8::2", now + 20s));  // the same network
        CHECK_FALSE(logins.wait("2001:db8:0:1::1", now + 20s));
        CHECK_FALSE(logins.wait("10.0.0.0", now + 20s));

        sessions all;
        const auto first = all.begin({}, now);
        for (std::size_t i = 0; i < sessions::most; ++i) all.begin({}, now + 1s);
        CHECK(all.count() == sessions::most);
        CHECK_FALSE(all.find(first, now + 2s));
    }
}

TEST_SUITE("api guard") {
    TEST_CASE("a server answers under localhost, addresses and the names that it was given") {
        const std::vector<std::string> names = {"outbox.example.com"};
        for (const char* good : {"localhost", "LOCALHOST:8080", "127.0.0.1", "10.1.2.3:80", "[::1]",
                                 "[2001:db8::1]:8080", "outbox.example.com", "Outbox.Example.com:443"})
            CHECK(is_host_of(good, names));
        for (const char* bad : {"", "evil.example", "localhost.evil.example", "outbox.example.com.evil.example",
                                "127.0.0.1.evil.example", "localhost:", "localhost:x", "localhost:123456", "[::1",
                                "[evil]", "[::1]x", "::1", "127.0.0.1:80:80", "127.1"}) {
            CAPTURE(bad);
            CHECK_FALSE(is_host_of(bad, names));
        }
    }

    TEST_CASE("what browsers add by themselves is not enough to change something") {
        const auto ok = [](origin_signs signs) {
            signs.host = "localhost:8080";
            return objection_to(signs).empty();
        };
        using enum proof;
        CHECK(ok({.by = token, .fetch_site = "cross-site", .origin = "https://evil.example"}));
        CHECK_FALSE(ok({.by = cookie}));
        CHECK_FALSE(ok({.by = cookie, .json = true}));
        CHECK(ok({.by = cookie, .csrf_token_right = true}));
        CHECK(ok({.by = cookie, .csrf_token_right = true, .fetch_site = "same-origin"}));
        CHECK(ok({.by = cookie, .csrf_token_right = true, .fetch_site = "none"}));
        CHECK_FALSE(ok({.by = cookie, .csrf_token_right = true, .fetch_site = "same-site"}));
        CHECK_FALSE(ok({.by = cookie, .csrf_token_right = true, .fetch_site = "cross-site"}));
        CHECK(ok({.by = cookie, .csrf_token_right = true, .origin = "http://localhost:8080"}));
        CHECK_FALSE(ok({.by = cookie, .csrf_token_right = true, .origin = "http://localhost:9090"}));
        CHECK_FALSE(ok({.by = cookie, .csrf_token_right = true, .origin = "null"}));
        CHECK_FALSE(ok({.by = none}));
        CHECK(ok({.by = none, .json = true}));
        CHECK(ok({.by = none, .csrf_token_right = true}));
        CHECK_FALSE(ok({.by = none, .json = true, .fetch_site = "cross-site"}));
        CHECK_FALSE(ok({.by = none, .json = true, .origin = "https://evil.example"}));
    }

    TEST_CASE("a cookie is found by its whole name") {
        CHECK(cookie_in("a=1; outbox_session=xyz; b=2", "outbox_session") == "xyz");
        CHECK(cookie_in("outbox_session=xyz", "outbox_session") == "xyz");
        CHECK(cookie_in("xoutbox_session=1;outbox_session=2", "outbox_session") == "2");
        for (const char* none : {"", ";", ";;; ", "outbox_session", "outbox_session2=1", "Outbox_session=1"})
            CHECK(cookie_in(none, "outbox_session").empty());
    }
}
