// Which dead-letter queues a pattern means: as the management API says, and as the redriver takes it.
#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "outbox/store.hpp"
#include "relay/queue_lister.hpp"
#include "relay/redriver.hpp"
#include "sidecar/management_api.hpp"
#include "test/support/http_receiver.hpp"
#include "test/unit/simulated_table.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using support::answer_of;
using support::http_receiver;
using strings = std::vector<std::string>;

namespace {

std::vector<conf::dead_letters> wanted(const strings& names, const strings& patterns) {
    std::vector<conf::dead_letters> all;
    for (const auto& one : names) all.emplace_back().queue = one;
    for (const auto& one : patterns) all.emplace_back().pattern = one;
    return all;
}

std::string page(const strings& names, std::size_t pages = 1) {
    json items = json::array();
    for (const auto& one : names) items.push_back({{"name", one}});
    return answer_of(200, json{{"items", items}, {"page_count", pages}}.dump());
}

sidecar::management_api api(const std::string& url, const strings& patterns = {"*.dlq"},
                            const std::string& broker = "amqp://h/%2Forders") {
    conf::management settings;
    settings.url = url;
    return {settings, {broker}, wanted({"named"}, patterns)};
}

struct listener final : relay::observer {
    std::set<std::string> queues;
    std::vector<std::size_t> left_out;
    strings downs;
    int ups = 0;
    void dead_letters(const relay::letter_report& report) override {
        if (report.dropped)
            queues.erase(std::string(report.queue));
        else
            queues.insert(std::string(report.queue));
    }
    void dead_letters_left_out(std::size_t count) override { left_out.push_back(count); }
    void management_up() override { ++ups; }
    void management_down(std::string_view why) override { downs.emplace_back(why); }
};

/// A redriver that stands by, so that it needs no broker.
struct looking {
    explicit looking(const std::vector<conf::dead_letters>& queues)
        : redriver(
              broker(), queues, *ledger, clock, [] { return 0.0; }, heard, [] { return false; }) {}

    static conf::broker broker() {
        conf::broker one;
        one.urls = {"amqp://127.0.0.1:1"};
        return one;
    }
    static conf::database nowhere() {
        conf::database one;
        one.url = "sqlite:///tmp/outbox-nowhere.db";
        return one;
    }
    std::set<std::string> learn(strings names) {
        redriver.learn_names(std::move(names));
        redriver.run_once();
        return heard.queues;
    }

    const std::unique_ptr<outbox::store> ledger = outbox::make_store(nowhere(), {});
    simulation::turned_clock clock;
    listener heard;
    relay::redriver redriver;
};

struct directory final : relay::queue_directory {
    strings there{"a"};
    const char* fails = nullptr;
    strings names() override {
        if (fails != nullptr) throw std::runtime_error(fails);
        return there;
    }
};

}  // namespace

TEST_SUITE("queue names") {
    TEST_CASE("the management API is asked page by page, for names alone, and with the user's password") {
        http_receiver there([](const auto& one) {
            return one.target.ends_with("&page=1") ? page({"a.dlq", "b.dlq"}, 2) : page({"c.dlq"}, 2);
        });
        conf::management settings;
        settings.url = "http://mon%40x@127.0.0.1:" + std::to_string(there.port()) + "/";
        settings.password.value = "pass";
        sidecar::management_api one(settings, {"amqp://h/%2Forders", "amqp://h2"},
                                    wanted({"named"}, {"*.dlq", "dead?"}));
        CHECK(one.names() == strings{"a.dlq", "b.dlq", "c.dlq"});
        REQUIRE(there.received().size() == 2);
        const auto first = there.received().front();
        CHECK(first.method == "GET");
        CHECK(first.target ==
              "/api/queues/%2Forders?pagination=true&page_size=500&columns=name&disable_stats=true&use_regex=true&"
              "name=%5E%28.%2A%5C.dlq%7Cdead.%7B1%2C4%7D%29%24&page=1");
        CHECK(first.fields.at("authorization") == sidecar::basic_authorization("mon@x", "pass"));
    }

    TEST_CASE("what is no answer of the management API is a reason, and no list") {
        const std::pair<std::string, std::string> cases[] = {
            {answer_of(401), "wrong"},
            {answer_of(404), "no such virtual host"},
            {answer_of(302, "", "Location: http://h/\r\n"), "HTTP 302"},
            {answer_of(200, "<html>"), "not one of RabbitMQ"},
            {answer_of(200, "[]"), "not one of RabbitMQ"},
            {answer_of(200, R"({"items": 5})"), "not one of RabbitMQ"},
            {page({"a"}, 1'000'000), "more than 10000"},
        };
        for (const auto& each : cases) {
            CAPTURE(each.second);
            http_receiver there([&](const auto&) { return each.first; });
            auto one = api(there.url());
            CHECK_THROWS_WITH_AS(one.names(), doctest::Contains(each.second.c_str()), std::runtime_error);
        }
        http_receiver odd(
            [](const auto&) { return answer_of(200, R"({"items": [{}, 5, {"name": 7}, {"name": "x"}]})"); });
        CHECK(api(odd.url()).names() == strings{"x"});
        CHECK_THROWS_AS(api("http://127.0.0.1:1").names(), std::runtime_error);
    }

    TEST_CASE("patterns become an expression that means at least as much") {
        CHECK(sidecar::name_expression({"a.*"}) == R"(^(a\..*)$)");
        CHECK(sidecar::name_expression({"a(b)|[c]\\", "é?"}) == R"(^(a\(b\)\|\[c\]\\|é.{1,4})$)");
        CHECK(sidecar::name_expression({}) == "^$");
    }

    TEST_CASE("a named queue goes before patterns, and an earlier pattern before a later one") {
        auto queues = wanted({"named.dlq"}, {"a.*", "*.dlq"});
        looking here(queues);
        CHECK(here.heard.queues == std::set<std::string>{"named.dlq"});
        CHECK(here.learn({"named.dlq", "a.dlq", "b.dlq", "other", ""}) ==
              std::set<std::string>{"named.dlq", "a.dlq", "b.dlq"});
        CHECK(here.learn({"b.dlq", "c.dlq"}) == std::set<std::string>{"named.dlq", "b.dlq", "c.dlq"});
        CHECK(here.learn({}) == std::set<std::string>{"named.dlq"});
        CHECK(here.heard.left_out.empty());
    }

    TEST_CASE("a queue to which its own letters would be sent is left alone") {
        auto queues = wanted({}, {"*.dlq"});
        queues[0].routing_key = "a.dlq";
        CHECK(looking(queues).learn({"a.dlq", "b.dlq"}) == std::set<std::string>{"b.dlq"});
    }

    TEST_CASE("no more than a hundred are taken by pattern, and those that are stay") {
        looking here(wanted({"n1", "n2"}, {"q*"}));
        strings all;
        for (int i = 100; i < 250; ++i) all.push_back("q" + std::to_string(i));
        CHECK(here.learn(all).size() == 102);
        CHECK(here.heard.left_out == std::vector<std::size_t>{50});
        CHECK(here.heard.queues.contains("q199"));
        CHECK_FALSE(here.heard.queues.contains("q200"));
        all.push_back("q000");  // an earlier name does not take a place
        CHECK_FALSE(here.learn(all).contains("q000"));
        CHECK(here.heard.left_out == std::vector<std::size_t>{50, 51});
        all.erase(all.begin(), all.begin() + 100);
        CHECK(here.learn(all).size() == 53);
        CHECK(here.heard.left_out.back() == 0);
    }

    TEST_CASE("while the management API is away, what was known stays") {
        directory names;
        listener heard;
        bool in_charge = false;
        std::vector<strings> learnt;
        relay::queue_lister lister(
            names, 1min, heard, [&] { return in_charge; }, [&](strings all) { learnt.push_back(std::move(all)); });
        CHECK(lister.run_once() == 1s);
        CHECK(learnt.empty());
        in_charge = true;
        CHECK(lister.run_once() == 1min);
        CHECK(learnt == std::vector<strings>{{"a"}});
        names.fails = "gone";
        CHECK(lister.run_once() == 1min);
        CHECK(learnt.size() == 1);
        CHECK(heard.downs == strings{"gone"});
        CHECK(heard.ups == 1);
        in_charge = false;
        lister.run_once();
        lister.run_once();
        CHECK(heard.downs == strings{"gone", ""});  // it is another's to ask
    }
}
