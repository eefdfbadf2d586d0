#include "sidecar/api/router.hpp"

#include <doctest/doctest.h>

#include "sidecar/api/cursor.hpp"
#include "sidecar/api/values.hpp"

using namespace sidecar::api;

namespace {

router some() {
    router all;
    const auto named = [](const char* name) { return [name](const request&) { return answer{.body = name}; }; };
    all.add_quick("GET", "/messages", needs::viewing, named("list"));
    all.add_quick("GET", "/messages/{id}", needs::viewing, named("show"));
    all.add_quick("GET", "/messages/count", needs::viewing, named("count"));
    all.add_quick("POST", "/messages/retry", needs::operating, named("retry"));
    all.add_quick("POST", "/messages/{id}/resend", needs::operating, named("resend"));
    all.add_quick("DELETE", "/session", needs::nothing, named("logout"));
    all.add_quick("GET", "/session", needs::nothing, named("session"));
    return all;
}

std::string found(const router& in, std::string_view method, std::string_view path) {
    const auto result = in.find(method, path);
    if (std::holds_alternative<no_such_path>(result)) return "404";
    if (const auto* other = std::get_if<no_such_method>(&result)) return "405 " + other->allowed;
    const auto& one = std::get<match>(result);
    auto text = std::get<quick_handler>(one.to->handler)({}).body;
    for (const auto& [name, value] : one.params) text += " " + name + "=" + value;
    return text;
}

/// The status of the problem and its words; empty: there was none.
template <class Call>
std::string refusal(Call&& call) {
    try {
        call();
        return {};
    } catch (const problem& what) {
        return std::to_string(what.status()) + " " + what.what();
    }
}

request with_query(std::string_view text) {
    request asked;
    asked.query = parse_query(text);
    return asked;
}

request with_body(const char* text) {
    request asked;
    asked.body = json::parse(text);
    return asked;
}

}  // namespace

TEST_SUITE("api router") {
    TEST_CASE("a segment that is the same goes before a parameter, and parameters are decoded") {
        const auto all = some();
        CHECK(found(all, "GET", "/messages") == "list");
        CHECK(found(all, "HEAD", "/messages") == "list");
        CHECK(found(all, "GET", "/messages/count") == "count");
        CHECK(found(all, "GET", "/messages/%63ount") == "show id=count");
        CHECK(found(all, "GET", "/messages/a%2Fb%20+") == "show id=a/b +");
        CHECK(found(all, "GET", "/messages/") == "show id=");
        CHECK(found(all, "POST", "/messages/retry/resend") == "resend id=retry");
        CHECK(found(all, "POST", "/messages/..%2F..%2Fetc/resend") == "resend id=../../etc");
    }

    TEST_CASE("what is not there is 404, and 405 names what is") {
        const auto all = some();
        for (const char* path : {"", "/", "messages", "/message", "/messages/a/b", "/messages/a/b/resend", "//messages",
                                 "/messages/%zz", "/messages/%ff", "/messages/%4"})
            CHECK(found(all, "GET", path) == "404");
        CHECK(found(all, "POST", "/messages") == "405 GET, HEAD");
        CHECK(found(all, "GET", "/messages/retry") == "405 POST");
        CHECK(found(all, "PUT", "/session") == "405 DELETE, GET, HEAD");
        CHECK(found(all, "OPTIONS", "/session") == "405 DELETE, GET, HEAD");
    }

    TEST_CASE("each role may do what it is there for, and nobody else") {
        const auto allowed = [](needs what) {
            std::string text;
            for (const auto one : {role::viewer, role::operating, role::consumer})
                text += permits(what, one) ? std::string(name_of(one)) + ' ' : "";
            return text + (permits(what, std::nullopt) ? "nobody" : "");
        };
        CHECK(allowed(needs::nothing) == "viewer operator consumer nobody");
        CHECK(allowed(needs::viewing) == "viewer operator ");
        CHECK(allowed(needs::operating) == "operator ");
        CHECK(allowed(needs::reporting) == "operator consumer ");
    }
}

TEST_SUITE("api values") {
    TEST_CASE("a query is decoded, and refused where it can't be") {
        const auto all = parse_query("a=1&b=x%20y+z&&c&d==&%61=2");
        REQUIRE(all.size() == 5);
        CHECK(all[1].second == "x y z");
        CHECK(all[2] == std::pair<std::string, std::string>{"c", ""});
        CHECK(all[3].second == "=");
        CHECK(all[4].first == "a");
        for (const char* broken : {"a=%", "a=%4", "a=%xx", "%ff=1", "a=%c3"})
            CHECK(refusal([&] { parse_query(broken); }).starts_with("400 "));
        CHECK(refusal([] { values::of_query(with_query("a=1&a=2")); }) == "400 a: given twice");
    }

    TEST_CASE("every value is checked, and the complaint names it") {
        const auto number = [](std::string_view query) {
            return refusal([&] { values::of_query(with_query(query)).number("limit", 1, 500); });
        };
        CHECK(number("limit=500").empty());
        for (const char* bad : {"limit=0", "limit=501", "limit=1000000000", "limit=1e9", "limit=-1", "limit=",
                                "limit=5x", "limit= 5", "limit=99999999999999999999", "limit=0x10", "limit=+5"}) {
            CAPTURE(bad);
            CHECK(number(bad) == "400 limit: expected a number from 1 to 500");
        }
        const auto body = [](const char* text) {
            return refusal([&] {
                auto in = values::of_body(with_body(text));
                in.texts("ids", 3);
                in.flag("force");
                in.done();
            });
        };
        CHECK(body(R"({"ids": ["a", "b", "a"], "force": true})").empty());
        CHECK(body(R"({"ids": ["a"], "force": null})").empty());
        for (const char* bad : {R"({})", R"({"ids": []})", R"({"ids": "a"})", R"({"ids": [1]})", R"({"ids": null})",
                                R"({"ids": ["a","b","c","d"]})"})
            CHECK(body(bad) == "400 ids: expected a list of 1 to 3 texts");
        CHECK(body(R"({"ids": ["a"], "force": 1})") == "400 force: expected true or false");
        CHECK(body(R"({"ids": ["a"], "forse": true})") == "400 forse: nobody knows this name here");
        CHECK(body("[]") == "400 the body: expected a JSON object");
        CHECK(refusal([] { values::of_query(with_query("x=1")).done(); }) == "400 x: nobody knows this name here");
        CHECK(refusal([] {
                  auto in = values::of_body(with_body(R"({"filter": {"sttus": 2}})"));
                  auto filter = in.object("filter");
                  read_filter(filter);
                  filter.done();
              }) == "400 filter.sttus: nobody knows this name here");
    }

    TEST_CASE("a filter is the same in a query and in a body") {
        const auto check = [](values in) {
            const auto filter = read_filter(in);
            in.done();
            CHECK(filter.status == 2);
            CHECK(filter.exchange == "");
            CHECK(filter.routing_key == std::nullopt);
            CHECK(filter.id_prefix == "a%");
            CHECK(filter.since == -5);
        };
        check(values::of_query(with_query("status=failed&exchange=&id_prefix=a%25&since=-5")));
        check(values::of_query(with_query("status=2&exchange=&id_prefix=a%25&since=-5")));
        check(values::of_body(with_body(R"({"status": 2, "exchange": "", "id_prefix": "a%", "since": -5})")));
        check(values::of_body(with_body(R"({"status": "failed", "exchange": "", "id_prefix": "a%", "since": -5})")));
        for (const char* bad : {"status=", "status=done", "status=2.5", "status=99999999999"})
            CHECK(refusal([&] {
                      auto in = values::of_query(with_query(bad));
                      read_filter(in);
                  }).starts_with("400 status: expected "));
    }

    TEST_CASE("a cursor comes back as it was, and no other is taken") {
        for (const auto& place : {outbox::list_place{1'700'000'000'000, "an id"}, outbox::list_place{std::nullopt, ""},
                                  outbox::list_place{-1, std::string("\xff\0\n", 3)}}) {
            const auto cursor = cursor_of(place);
            CHECK(parse_cursor(cursor) == place);
            for (std::size_t i = 0; i < cursor.size(); ++i) {
                auto other = cursor;
                other[i] = other[i] == 'A' ? 'B' : 'A';
                CHECK(refusal([&] { parse_cursor(other); }).starts_with("400 cursor: "));
            }
            CHECK(refusal([&] { parse_cursor(cursor.substr(0, cursor.size() - 1)); }).starts_with("400 "));
            CHECK(refusal([&] { parse_cursor(cursor + "A"); }).starts_with("400 "));
        }
        for (const char* forged : {"", "x", "====", "eyJhIjoxfQ", "' OR 1=1 --", "\xff\xff"})
            CHECK(refusal([&] { parse_cursor(forged); }).starts_with("400 cursor: "));
        CHECK(refusal([] { parse_cursor(sealed("failures", {1, "a"})); }).starts_with("400 "));
        CHECK(refusal([] { parse_cursor(sealed("messages", {"a", 1})); }).starts_with("400 "));
    }
}
