// Failures told over HTTP, by the ledger of a real database to a real server.

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>

#include "outbox/store.hpp"
#include "sidecar/webhook.hpp"
#include "test/support/http_receiver.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using support::answer_of;
using support::eventually;
using support::http_receiver;

namespace {

constexpr auto key = "a secret of the tests";

/// A database of its own, with a ledger that nobody else fills; every message to the exchange "nowhere" fails at once.
struct scene {
    scene() {
        settings = support::quick_settings(table.settings());
        settings.retry.max_retries = 0;
        settings.webhook.key.value = key;
        settings.webhook.allow_local = true;
        settings.webhook.retry_initial = 100ms;
        settings.webhook.retry_max = 200ms;
        settings.webhook.rate = 1'000;
        // The first look, after which everything is told.
        outbox::make_store(table.settings(), {})->note_entries(1);
    }

    void fail(std::size_t count, const std::string& prefix = "m") {
        support::insert(server, table, count, "no-such-exchange", "some.key", prefix);
        REQUIRE(eventually(
            [&] { return support::count(server, table, "status = 2 AND id LIKE '" + prefix + "%'") == count; }));
    }
    std::size_t told() {
        return static_cast<std::size_t>(
            server.number("SELECT COUNT(*) FROM " + database.name() + ".sys_mq_notice WHERE state = 1"));
    }
    support::variables variables(const std::string& url) const {
        auto env = support::settings_for(table);
        env["OUTBOX_WEBHOOK_URL"] = url;
        env["OUTBOX_WEBHOOK_KEY"] = key;
        env["OUTBOX_WEBHOOK_ALLOW_LOCAL"] = "true";
        env["OUTBOX_WEBHOOK_RETRY_INITIAL"] = "100ms";
        env["OUTBOX_WEBHOOK_RETRY_MAX"] = "200ms";
        env["OUTBOX_RETRY_MAX_RETRIES"] = "0";
        env["OUTBOX_RELAY_LEASE"] = "2s";
        return env;
    }

    support::own_database database;
    support::table table = support::table::recommended(database.name());
    support::database server;
    conf::settings settings;
};

std::multiset<std::string> messages(const http_receiver& there) {
    std::multiset<std::string> ids;
    for (const auto& one : there.received()) ids.insert(json::parse(one.body)["message_id"].get<std::string>());
    return ids;
}

std::set<std::string> webhook_ids(const http_receiver& there) {
    std::set<std::string> ids;
    for (const auto& one : there.received()) ids.insert(one.fields.at("webhook-id"));
    return ids;
}

const auto fine = [](const auto&) { return answer_of(204); };

}  // namespace

TEST_SUITE("webhook") {
    TEST_CASE("each failure is told once, signed, with its message if that is wanted") {
        scene here;
        http_receiver there(fine);
        here.settings.webhook.url = there.url("/hook?x=%20");
        here.settings.webhook.body = true;
        const support::relaying relay(here.settings);
        here.fail(3);
        REQUIRE(eventually([&] { return here.told() == 3; }));
        CHECK(messages(there) == std::multiset<std::string>{"m1", "m2", "m3"});
        CHECK(webhook_ids(there).size() == 3);
        for (const auto& one : there.received()) {
            CHECK(one.target == "/hook?x=%20");
            CHECK(one.fields.at("webhook-signature") ==
                  sidecar::webhook_signature(key, one.fields.at("webhook-id"),
                                             std::stoll(one.fields.at("webhook-timestamp")), one.body));
            const auto body = json::parse(one.body);
            CHECK(body["side"] == "producer");
            CHECK(body["exchange"] == "no-such-exchange");
            CHECK(body["routing_key"] == "some.key");
            CHECK(body["tries"] == 1);
            CHECK(body["reason"].get<std::string>().find("404") != std::string::npos);
            CHECK(body["table"] == here.table.name());
            CHECK(body["payload_encoding"] == "text");
            CHECK(body["payload_cut"] == false);
        }
    }

    TEST_CASE("what was in the ledger before is not told") {
        support::own_database database;
        const auto table = support::table::recommended(database.name());
        support::database server;
        auto settings = support::quick_settings(table.settings());
        settings.retry.max_retries = 0;
        const auto fail = [&](const std::string& prefix) {
            support::insert(server, table, 5, "no-such-exchange", "k", prefix);
            REQUIRE(eventually(
                [&] { return support::count(server, table, "status = 2 AND id LIKE '" + prefix + "%'") == 5; }));
        };
        {
            const support::relaying without(settings);
            fail("before");
        }
        http_receiver there(fine);
        settings.webhook.url = there.url();
        settings.webhook.key.value = key;
        settings.webhook.allow_local = true;
        const support::relaying relay(settings);
        const auto noted = "SELECT COUNT(*) FROM " + database.name() + ".sys_mq_notice";
        REQUIRE(eventually([&] { return server.number(noted) == 5; }));
        fail("after");
        REQUIRE(eventually([&] { return there.received().size() == 5; }));
        for (const auto& id : messages(there)) CHECK(id.starts_with("after"));
    }

    TEST_CASE("who answers 500, and who redirects, is told again; nobody is told elsewhere") {
        scene here;
        http_receiver elsewhere(fine);
        std::atomic<int> calls{0};
        http_receiver there([&](const auto&) {
            const int call = calls++;
            if (call == 0) return answer_of(500);
            if (call == 1) return answer_of(307, "", "Location: " + elsewhere.url() + "\r\n");
            return answer_of(200, std::string(200'000, 'x'));
        });
        here.settings.webhook.url = there.url();
        const support::relaying relay(here.settings);
        here.fail(1);
        REQUIRE(eventually([&] { return here.told() == 1; }));
        CHECK(messages(there) == std::multiset<std::string>{"m1", "m1", "m1"});
        CHECK(webhook_ids(there).size() == 1);
        CHECK(elsewhere.connections() == 0);
    }

    TEST_CASE("what nobody takes is given up in the end, and so is what is gone") {
        scene here;
        http_receiver there([](const auto& one) { return answer_of(one.target == "/gone" ? 410 : 400); });
        here.settings.webhook.url = there.url("/gone");
        here.settings.webhook.max_tries = 3;
        here.settings.webhook.routes = {{"*", "other", there.url("/bad")}};
        const support::relaying relay(here.settings);
        here.fail(1);
        support::insert(here.server, here.table, 1, "no-such-exchange", "other", "n");
        const auto given_up = "SELECT COUNT(*) FROM " + here.database.name() + ".sys_mq_notice WHERE state = 2";
        REQUIRE(eventually([&] { return here.server.number(given_up) == 2; }));
        CHECK(messages(there) == std::multiset<std::string>{"m1", "n1", "n1", "n1"});
    }

    TEST_CASE("a receiver that hangs holds up neither the relay nor its stop") {
        scene here;
        http_receiver there([](const auto&) { return std::string(); });
        here.settings.webhook.url = there.url();
        here.settings.webhook.timeout = 60s;
        support::broker rabbit;
        const support::route to(rabbit);
        support::relaying relay(here.settings);
        here.fail(1);
        REQUIRE(eventually([&] { return there.received().size() == 1; }));
        support::insert(here.server, here.table, 5'000, to.exchange(), "key", "good");
        CHECK(eventually([&] { return support::count(here.server, here.table, "status = 1") == 5'000; }));
        CHECK(there.received().size() == 1);
        const auto began = std::chrono::steady_clock::now();
        relay.stop();
        CHECK(std::chrono::steady_clock::now() - began < 5s);
        CHECK(here.told() == 0);
    }

    TEST_CASE("what was not told before a restart is told after it") {
        scene here;
        here.settings.webhook.max_tries = 1'000;
        std::atomic<bool> works{false};
        http_receiver there([&](const auto&) { return answer_of(works ? 200 : 500); });
        here.settings.webhook.url = there.url();
        {
            support::relaying relay(here.settings);
            here.fail(10);
            REQUIRE(eventually([&] { return there.received().size() >= 10; }));
        }
        works = true;
        const support::relaying relay(here.settings);
        REQUIRE(eventually([&] { return here.told() == 10; }));
        CHECK(webhook_ids(there).size() == 10);
    }

    TEST_CASE("of two sidecars one tells, and the other goes on when that one stops") {
        scene here;
        http_receiver there(fine);
        here.settings.webhook.url = there.url();
        support::relaying first(here.settings);
        const support::relaying second(here.settings);
        here.fail(50, "a");
        REQUIRE(eventually([&] { return here.told() == 50; }));
        first.stop();
        here.fail(50, "b");
        REQUIRE(eventually([&] { return here.told() == 100; }));
        CHECK(there.received().size() == 100);
        CHECK(webhook_ids(there).size() == 100);
    }

    TEST_CASE("killed between the POST and its record, it tells again, by the same id") {
        scene here;
        std::atomic<pid_t> victim{0};
        http_receiver there([&](const auto&) {
            // It has told, and will never know.
            if (const auto pid = victim.exchange(0); pid != 0) kill(pid, SIGKILL);
            return answer_of(200);
        });
        const auto env = here.variables(there.url());
        {
            support::sidecar_process sidecar({"run"}, env);
            victim = sidecar.pid();
            here.fail(1);
            CHECK(sidecar.wait() == -1);
        }
        CHECK(here.told() == 0);
        support::sidecar_process sidecar({"run"}, env);
        REQUIRE(eventually([&] { return here.told() == 1; }));
        CHECK(messages(there) == std::multiset<std::string>{"m1", "m1"});
        CHECK(webhook_ids(there).size() == 1);
        // In the log, where it is told is said, and nothing more of it.
        CHECK(sidecar.says("webhook_unencrypted"));
    }

    TEST_CASE("an address of this machine is called only if that is allowed, and never shown whole") {
        scene here;
        http_receiver there(fine);
        auto env = here.variables(there.url("/services/hush-hush?token=hunter2"));
        env["OUTBOX_WEBHOOK_ALLOW_LOCAL"] = "false";
        support::sidecar_process sidecar({"run"}, env);
        here.fail(1);
        CHECK(sidecar.says("a loopback address, and webhook.allow_local is off"));
        CHECK(there.connections() == 0);
        const auto said = sidecar.err();
        CHECK(said.find("http://127.0.0.1:") != std::string::npos);
        for (const char* hidden : {"hush-hush", "hunter2", key}) CHECK(said.find(hidden) == std::string::npos);

        const auto doctor = support::run_sidecar({"doctor"}, env);
        CHECK(doctor.code == 1);
        CHECK(doctor.out.find("a loopback address") != std::string::npos);
        env["OUTBOX_WEBHOOK_ALLOW_LOCAL"] = "true";
        CHECK(support::run_sidecar({"doctor"}, env).out.find("a loopback address") == std::string::npos);
    }

    TEST_CASE("without the table of notices everything else works, and log and doctor say what is missing") {
        scene here;
        here.server.execute("DROP TABLE " + here.database.name() + ".sys_mq_notice");
        http_receiver there(fine);
        const auto env = here.variables(there.url());
        support::sidecar_process sidecar({"run"}, env);
        here.fail(1);
        CHECK(sidecar.says("sys_mq_notice"));
        const auto doctor = support::run_sidecar({"doctor"}, env);
        CHECK(doctor.code == 1);
        CHECK(doctor.out.find("sys_mq_notice") != std::string::npos);
    }
}
