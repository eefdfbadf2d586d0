// What failed, in groups; the ledger, filtered, retried and deleted from; and `status --watch`: as an operator does it.

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "outbox/store.hpp"
#include "test/support/broker.hpp"
#include "test/support/database.hpp"
#include "test/support/sidecar.hpp"
#include "test/support/waiting.hpp"

using nlohmann::json;
using support::eventually;
using support::result;
using support::settings_for;
using strings = std::vector<std::string>;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A table with failures in its ledger, and the sidecar's commands on it.
struct failures_scene {
    support::table table = support::table::recommended();
    support::database server;
    std::unique_ptr<outbox::store> store = outbox::make_store(table.settings(), {});

    result run(const strings& arguments, const support::variables& more = {}) const {
        auto env = settings_for(table);
        for (const auto& [name, value] : more) env[name] = value;
        return support::run_sidecar(arguments, env);
    }
    json json_of(strings arguments, int code = 0, const support::variables& more = {}) const {
        arguments.emplace_back("--json");
        const auto done = run(arguments, more);
        INFO(done.err);
        CHECK(done.code == code);
        REQUIRE(json::accept(done.out));
        return json::parse(done.out);
    }
    void fail(const std::string& id, const std::string& reason, const std::string& exchange = "orders") {
        server.execute(table.in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('" + id + "', '{}', '" +
                                exchange + "', 'created')"));
        REQUIRE(store->settle(std::vector<outbox::settlement>{{id, outbox::settlement::kind::failed, 4, {}, reason}}) ==
                1);
    }
    void die(const std::string& id, const std::string& queue, const std::string& reason) {
        outbox::consumer_failure one;
        one.message_id = id;
        one.routing_key = queue;
        one.payload = "body of " + id;
        one.reason = reason;
        REQUIRE(store->file_failure(one, false));
    }
    std::int64_t rows(const std::string& where) {
        return server.number(table.in("SELECT COUNT(*) FROM {} WHERE " + where));
    }
};

strings ids_of(const json& list) {
    strings ids;
    for (const auto& one : list["entries"]) ids.push_back(one["message_id"]);
    return ids;
}

struct queue_of_its_own {
    support::broker rabbit;
    std::string name = support::unique_name("again");
    queue_of_its_own() { rabbit.declare_queue(name); }
    ~queue_of_its_own() { rabbit.delete_queue(name); }
    queue_of_its_own(const queue_of_its_own&) = delete;
    queue_of_its_own& operator=(const queue_of_its_own&) = delete;
};

}  // namespace

TEST_SUITE("commands on failures") {
    TEST_CASE("groups say what failed and why, the most first") {
        failures_scene at;
        for (const char* id : {"a", "b", "c"}) at.fail(id, "312 NO_ROUTE");
        at.fail("d", "404 NOT_FOUND", "audit");
        const auto found = at.json_of({"groups"});
        CHECK(found["looked_at"] == 4);
        CHECK(found["complete"] == true);
        REQUIRE(found["groups"].size() == 2);
        CHECK(found["groups"][0]["exchange"] == "orders");
        CHECK(found["groups"][0]["error"] == "312 NO_ROUTE");
        CHECK(found["groups"][0]["rows"] == 3);
        CHECK(found["groups"][0]["latest_update_time"].is_number());
        CHECK(at.json_of({"groups", "--exchange", "audit"})["groups"].size() == 1);
        CHECK(at.json_of({"groups", "--limit", "1"})["groups"].size() == 1);
        CHECK(contains(at.run({"groups"}).out, "312 NO_ROUTE"));
        CHECK(contains(at.run({"groups", "--status", "consumed"}).out, "No messages"));
    }

    TEST_CASE("failures are listed and grouped by their conditions") {
        failures_scene at;
        at.fail("a", "312 NO_ROUTE");
        at.fail("b", "404 NOT_FOUND", "audit");
        at.die("c", "orders", "rejected in queue 'orders'; from dead-letter queue 'dead'; letter 1\nno stock");
        at.die("d", "orders", "rejected in queue 'orders'; from dead-letter queue 'dead'; letter 2\nno stock");
        CHECK(ids_of(at.json_of({"failures", "--side", "consumer"})) == strings{"d", "c"});
        CHECK(ids_of(at.json_of({"failures", "--exchange", "audit"})) == strings{"b"});
        CHECK(ids_of(at.json_of({"failures", "--message-id", "c"})) == strings{"c"});
        CHECK(ids_of(at.json_of({"failures", "--reason", "NO_ROUTE"})) == strings{"a"});
        CHECK(ids_of(at.json_of({"failures", "--since", "1h", "--routing-key", "created"})) == strings{"b", "a"});
        CHECK(ids_of(at.json_of({"failures", "--before-time", "1h"})).empty());
        const auto found = at.json_of({"failures", "groups"});
        CHECK(found["looked_at"] == 4);
        REQUIRE(found["groups"].size() == 3);
        CHECK(found["groups"][0]["side"] == "consumer");
        CHECK(found["groups"][0]["reason"] == "rejected in queue 'orders': no stock");
        CHECK(found["groups"][0]["entries"] == 2);
        CHECK(at.json_of({"failures", "groups", "--side", "producer"})["groups"].size() == 2);
        CHECK(contains(at.run({"failures", "groups"}).out, "no stock"));
    }

    TEST_CASE("failures are deleted by number, or all that the conditions say; their messages stay") {
        failures_scene at;
        for (int i = 0; i < 30; ++i) at.fail("m" + std::to_string(i), i < 20 ? "312 NO_ROUTE" : "404 NOT_FOUND");
        const auto entry = at.json_of({"failures", "--message-id", "m3"})["entries"][0]["entry"].get<std::int64_t>();
        const auto some = at.json_of({"failures", "delete", std::to_string(entry), "1000000000000"}, 1);
        CHECK(some["deleted"] == 1);
        CHECK(some["not_there"] == 1);
        CHECK(at.json_of({"failures", "delete", "--all", "--reason", "NO_ROUTE", "--dry-run"})["changed"] == 19);
        CHECK(at.store->count_entries({}, 100) == 29);
        const auto done = at.run({"failures", "delete", "--all", "--reason", "NO_ROUTE"});
        CHECK(done.code == 0);
        CHECK(contains(done.out, "19 entries deleted"));
        CHECK(at.store->count_entries({}, 100) == 10);
        CHECK(at.rows("status = 2") == 30);
    }

    TEST_CASE("all failures of the conditions are sent again, on either side, each once") {
        failures_scene at;
        queue_of_its_own to;
        for (int i = 0; i < 5; ++i) at.fail("p" + std::to_string(i), "312 NO_ROUTE");
        for (int i = 0; i < 5; ++i) at.die("c" + std::to_string(i), to.name, "rejected " + std::to_string(i));
        at.server.execute(at.table.in("DELETE FROM {} WHERE id = 'p0'"));
        CHECK(at.json_of({"failures", "retry", "--all", "--dry-run"})["changed"] == 10);
        const auto done = at.json_of({"failures", "retry", "--all"});
        CHECK(done["changed"] == 9);
        CHECK(done["unchanged"] == json{{"gone", 1}});
        CHECK(done["complete"] == true);
        CHECK(at.rows("status = 0") == 4);
        CHECK(to.rabbit.depth(to.name) == 5);

        const strings dry{"failures", "retry", "--all", "--side", "consumer", "--dry-run"};
        CHECK(at.json_of(dry)["changed"] == 0);
        auto forced = dry;
        forced.emplace_back("--force");
        CHECK(at.json_of(forced)["changed"] == 5);
        const auto again = at.json_of({"failures", "retry", "--all", "--side", "consumer"});
        CHECK(again["changed"] == 0);
        CHECK(again["unchanged"] == json{{"already", 5}});
        CHECK(to.rabbit.depth(to.name) == 5);
        CHECK(at.json_of({"failures", "retry", "--all", "--side", "consumer", "--force"})["changed"] == 5);
        CHECK(to.rabbit.depth(to.name) == 10);
    }

    TEST_CASE("without a broker, a retry of consumers' failures stops at the first, and says why") {
        failures_scene at;
        at.die("c1", "nowhere", "rejected 1");
        at.die("c2", "nowhere", "rejected 2");
        at.fail("p", "312 NO_ROUTE");
        const auto done = at.json_of({"failures", "retry", "--all"}, 1, {{"OUTBOX_BROKER_URLS", "amqp://127.0.0.1:1"}});
        CHECK(done["changed"] == 1);
        CHECK(done["complete"] == false);
        CHECK(done["unchanged"] == json{{"not_done", 1}});
        CHECK(done["trouble"].is_string());
        CHECK(at.rows("status = 0") == 1);
    }

    TEST_CASE("old entries of the ledger are purged when it has a retention") {
        failures_scene at;
        at.fail("old", "312 NO_ROUTE");
        at.fail("new", "312 NO_ROUTE");
        CHECK(contains(at.run({"purge", "--set", "purge.delivered=never", "--set", "purge.consumed=never"}).out,
                       "nothing has a retention"));
        const auto entry = at.store->entries({.message_id = "old"}, std::nullopt, 1).at(0).id;
        at.server.execute("UPDATE sys_mq_fail SET create_time = create_time - 10 * 86400000 WHERE id = " +
                          std::to_string(entry));
        const auto ledger_of = [](const json& report) {
            for (const auto& one : report["statuses"]) {
                if (one["name"] == "ledger") return one;
            }
            return json();
        };
        const strings purge{"purge", "--set", "purge.ledger=7d"};
        auto dry = purge;
        dry.emplace_back("--dry-run");
        // Other tests' tables share the ledger, and may have young entries before ours.
        const auto wanted = at.store->purgeable_in_ledger(std::chrono::days(7));
        CHECK(ledger_of(at.json_of(dry))["rows"] == wanted);
        CHECK(ledger_of(at.json_of(purge))["rows"] == wanted);
        CHECK(at.store->count_entries({.message_id = "old"}, 10) == 1 - *wanted);
        CHECK(at.store->count_entries({.message_id = "new"}, 10) == 1);
        CHECK(ledger_of(at.json_of({"purge"})).is_null());
    }

    TEST_CASE("status is watched until it is interrupted, with what happens meanwhile") {
        failures_scene at;
        support::sidecar_process watching({"status", "--watch", "--interval", "200ms", "--json"},
                                          settings_for(at.table));
        const auto looks = [&] {
            std::vector<json> all;
            std::istringstream lines(watching.out());
            for (std::string one; std::getline(lines, one);)
                if (json::accept(one)) all.push_back(json::parse(one));
            return all;
        };
        REQUIRE(eventually([&] { return looks().size() >= 2; }));
        CHECK(looks()[0]["per_second"]["delivered"].is_null());
        at.fail("a", "312 NO_ROUTE");
        CHECK(eventually([&] { return looks().back()["rows"]["failed"] == 1; }));
        CHECK(eventually([&] {
            for (const auto& one : looks())
                if (one["per_second"]["failed"].is_number() && one["per_second"]["failed"] > 0) return true;
            return false;
        }));
        CHECK(looks().back()["ledger_entries"] >= 1);
        watching.signal(SIGINT);
        CHECK(watching.wait() == 0);

        support::sidecar_process lines({"status", "--watch", "--interval", "200ms"}, settings_for(at.table));
        REQUIRE(eventually([&] { return contains(lines.out(), "failed 1 (0.0/s)"); }));
        lines.signal(SIGTERM);
        CHECK(lines.wait() == 0);
        CHECK_FALSE(contains(lines.out(), "\x1b"));
    }
}
