#include "sidecar/webhook.hpp"

#include <doctest/doctest.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "sidecar/base64.hpp"
#include "test/support/http_receiver.hpp"

using namespace std::chrono_literals;
using is = relay::notice_answer::kind;
using nlohmann::json;

namespace {

outbox::notice some_notice() {
    outbox::notice one;
    one.what.id = 4711;
    one.what.message_id = "m-1";
    one.what.exchange = "orders";
    one.what.routing_key = "order.created";
    one.what.reason = "312 NO_ROUTE";
    one.what.headers = R"({"h": [1, null]})";
    one.what.payload_size = 4;
    one.what.message_created = "2026-11-21T08:30:00Z";
    one.what.filed = 1'763'713'800'999;
    one.try_count = 4;
    return one;
}

json body_of(const outbox::notice& one, const std::optional<std::string>& payload = std::nullopt) {
    return json::parse(sidecar::webhook_body(one, "shop.msg_log", "host:1-ab", payload));
}

relay::notice_answer answered(unsigned status, const std::string& retry_after = {}) {
    sidecar::http_reply reply{status, {}, {}, false};
    if (!retry_after.empty()) reply.headers.emplace_back("Retry-After", retry_after);
    return sidecar::read_answer(reply, 1'000'000);
}

}  // namespace

TEST_SUITE("webhook") {
    TEST_CASE("the signature is that of Standard Webhooks") {
        const auto key = sidecar::webhook_key({"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
        CHECK(key.size() == 24);
        CHECK(
            sidecar::webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, R"({"test": 2432232314})") ==
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        CHECK(sidecar::webhook_key({"any text"}) == "any text");
        for (const std::string bad : {"whsec_", "whsec_?", "whsec_a"})
            CHECK_THROWS_AS(sidecar::webhook_key({bad}), std::invalid_argument);
    }

    TEST_CASE("an entry has the same id each time, and another than all others") {
        const auto one = some_notice().what;
        const auto id = sidecar::webhook_id(one, "shop.msg_log");
        CHECK(id == sidecar::webhook_id(one, "shop.msg_log"));
        CHECK(id.starts_with("msgfail_"));
        CHECK(id.ends_with("_4711"));
        auto other = one;
        other.id = 4712;
        CHECK(sidecar::webhook_id(other, "shop.msg_log") != id);
        CHECK(sidecar::webhook_id(one, "other.msg_log") != id);
        other = one;
        other.filed = 1;  // a ledger that counts from the beginning again
        CHECK(sidecar::webhook_id(other, "shop.msg_log") != id);
    }

    TEST_CASE("what is told, without and with the message") {
        auto one = some_notice();
        const json told = {{"type", "message.failed"},
                           {"id", 4711},
                           {"message_id", "m-1"},
                           {"side", "producer"},
                           {"exchange", "orders"},
                           {"routing_key", "order.created"},
                           {"key", nullptr},
                           {"tries", 4},
                           {"reason", "312 NO_ROUTE"},
                           {"message_created", "2026-11-21T08:30:00Z"},
                           {"filed", 1'763'713'800'999},
                           {"table", "shop.msg_log"},
                           {"instance", "host:1-ab"}};
        CHECK(body_of(one) == told);

        auto with = body_of(one, "ab\xc3\xa4");
        CHECK(with["payload"] == "abä");
        CHECK(with["payload_encoding"] == "text");
        CHECK(with["payload_size"] == 4);
        CHECK(with["payload_cut"] == false);
        CHECK(with["headers"] == json{{"h", {1, nullptr}}});

        one.what.payload_size = 3;
        CHECK(body_of(one, "ab\xc3")["payload_encoding"] == "base64");  // whole, and no text
        one.what.payload_size = 1'000'000;
        with = body_of(one, "ab\xc3");
        CHECK(with["payload"] == "ab");  // cut in the midst of a character
        CHECK(with["payload_encoding"] == "text");
        CHECK(with["payload_cut"] == true);
        with = body_of(one, std::string("\0\xff", 2));
        CHECK(with["payload"] == sidecar::base64(std::string("\0\xff", 2)));
        CHECK(with["payload_encoding"] == "base64");

        one.what.failed_on = outbox::ledger_entry::side::consumer;
        one.what.headers = "not JSON";
        one.what.reason = "\xff";
        one.try_count.reset();
        with = body_of(one, "");
        CHECK(with["side"] == "consumer");
        CHECK(with["headers"] == "not JSON");
        CHECK(with["reason"] == "\xef\xbf\xbd");
        CHECK(with["tries"].is_null());
    }

    TEST_CASE("what an answer says") {
        for (const unsigned status : {200U, 201U, 202U, 204U}) CHECK(answered(status).what == is::taken);
        for (const unsigned status : {301U, 302U, 307U, 400U, 401U, 404U, 408U, 413U, 422U, 425U, 500U}) {
            CAPTURE(status);
            CHECK(answered(status).what == is::refused);
            CHECK(answered(status).why.find(std::to_string(status)) != std::string::npos);
        }
        CHECK(answered(302).why.find("not followed") != std::string::npos);
        for (const unsigned status : {429U, 502U, 503U, 504U}) CHECK(answered(status).what == is::away);
        CHECK(answered(410).what == is::gone);

        CHECK_FALSE(answered(429).wait);
        CHECK(answered(429, "120").wait == 120s);
        CHECK(answered(503, "Mon, 12 Jan 1970 13:47:40 GMT").wait == 60s);
        CHECK(answered(503, "Mon, 12 Jan 1970 13:40:00 GMT").wait == 0s);
        CHECK(answered(503, "-5").wait == 0s);
        CHECK(answered(503, "99999999").wait == 24h * 7);
        CHECK_FALSE(answered(503, "soon").wait);
        CHECK_FALSE(answered(503, "99999999999999999999").wait);
    }

    TEST_CASE("of an url only its origin is shown") {
        CHECK(sidecar::origin_of("https://u:p@hooks.example/services/T0/B0/secret?x=y") == "https://hooks.example:443");
        CHECK(sidecar::origin_of("http://[::1]:8080/x") == "http://[::1]:8080");
        CHECK(sidecar::origin_of("nonsense") == "?");
    }

    TEST_CASE("a POST arrives with its signature, and local addresses only if they are allowed") {
        support::http_receiver there([](const auto&) { return support::answer_of(204); });
        conf::webhook settings;
        settings.url = there.url("/hook");
        settings.key.value = "secret";
        sidecar::webhook closed(settings, "msg_log", "a");
        const auto refused = closed.send(settings.url, some_notice(), std::nullopt);
        CHECK(refused.what == is::away);
        CHECK(refused.why.find("a loopback address") != std::string::npos);
        CHECK(there.connections() == 0);

        settings.allow_local = true;
        sidecar::webhook open(settings, "msg_log", "a");
        CHECK(open.send(settings.url, some_notice(), std::nullopt).what == is::taken);
        const auto one = there.received().at(0);
        CHECK(one.method == "POST");
        CHECK(one.target == "/hook");
        CHECK(one.fields.at("content-type") == "application/json");
        const auto id = one.fields.at("webhook-id");
        const auto seconds = std::stoll(one.fields.at("webhook-timestamp"));
        CHECK(std::abs(seconds - std::time(nullptr)) < 60);
        CHECK(one.fields.at("webhook-signature") == sidecar::webhook_signature("secret", id, seconds, one.body));
    }

    TEST_CASE("it is on when there is somebody to tell") {
        conf::webhook settings;
        CHECK_FALSE(sidecar::is_on(settings));
        settings.routes = {{"*", "*", ""}};
        CHECK_FALSE(sidecar::is_on(settings));
        settings.routes.push_back({"*", "*", "https://a/"});
        CHECK(sidecar::is_on(settings));
        settings.routes.clear();
        settings.url = "https://a/";
        CHECK(sidecar::is_on(settings));
    }
}
