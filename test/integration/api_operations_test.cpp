// What an operator does over the API, against real servers: messages changed and sent again, the ledger, jobs.

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "outbox/store.hpp"
#include "test/support/broker.hpp"
#include "test/support/database.hpp"
#include "test/support/http.hpp"
#include "test/support/letters.hpp"
#include "test/support/sidecar.hpp"
#include "test/support/waiting.hpp"

using nlohmann::json;
using support::eventually;
using strings = std::vector<std::string>;

namespace {

/// A sidecar that answers the API, and relays nothing: it is paused.
struct api_scene {
    support::table table = support::table::recommended();
    support::database server;
    std::unique_ptr<outbox::store> store = outbox::make_store(table.settings(), {});
    support::sidecar_process sidecar{{}, environment(table)};
    std::uint16_t port = 0;

    api_scene() {
        REQUIRE(sidecar.says("/api/v1"));
        std::istringstream lines(sidecar.err());
        for (std::string one; std::getline(lines, one);) {
            const auto line = json::parse(one, nullptr, false);
            if (line.is_object() && line.value("event", "") == "http_listening") {
                const auto address = line["address"].get<std::string>();
                port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
            }
        }
        REQUIRE(port != 0);
        REQUIRE(ask("POST", "/pause", json::object()).first == 200);
    }

    static support::variables environment(const support::table& table) {
        auto env = support::settings_for(table);
        env["OUTBOX_HTTP_API"] = "127.0.0.1:0";
        return env;
    }

    std::pair<int, json> ask(const std::string& method, const std::string& path, const json& body = {}) const {
        const auto answer =
            support::http_ask(port, method, "/api/v1" + path, body.is_null() ? std::string() : body.dump());
        INFO(answer.body);
        auto document = json::parse(answer.body, nullptr, false);
        CHECK((answer.body.empty() || !document.is_discarded()));
        return {answer.status, document};
    }
    json get(const std::string& path) const {
        const auto [status, document] = ask("GET", path);
        CHECK(status == 200);
        return document;
    }
    /// The job that was begun, when it has ended.
    json ended(const std::pair<int, json>& begun) const {
        REQUIRE(begun.first == 202);
        const auto path = "/jobs/" + begun.second["job"]["id"].get<std::string>();
        json found;
        REQUIRE(eventually([&] {
            found = get(path);
            return found["state"] != "queued" && found["state"] != "running";
        }));
        return found;
    }

    void put(const std::string& id, int status, const std::string& exchange = "orders") {
        server.execute(table.in("INSERT INTO {} (id, msg, exchange, routing_key, status, last_error) VALUES ('" + id +
                                "', '{}', '" + exchange + "', 'created', " + std::to_string(status) +
                                ", '312 NO_ROUTE')"));
    }
    void put_many(std::size_t count, int status) {
        std::string values;
        for (std::size_t i = 0; i < count; ++i)
            values += (i == 0 ? "" : ",") + ("('m" + std::to_string(i) + "', '', " + std::to_string(status) + ")");
        server.execute(table.in("INSERT INTO {} (id, msg, status) VALUES " + values));
    }
    void fail(const std::string& id) {
        put(id, 0);
        REQUIRE(store->settle(std::vector<outbox::settlement>{
                    {id, outbox::settlement::kind::failed, 4, {}, "312 NO_ROUTE"}}) == 1);
    }
    void die(const std::string& id, const std::string& queue) {
        outbox::consumer_failure one;
        one.message_id = id;
        one.routing_key = queue;
        one.payload = "body of " + id;
        one.reason = "rejected in queue '" + queue + "'; from dead-letter queue 'dead'; letter " + id;
        REQUIRE(store->file_failure(one, false));
    }
    std::int64_t rows(const std::string& where) {
        return server.number(table.in("SELECT COUNT(*) FROM {} WHERE " + where));
    }
};

std::int64_t entry_of(const api_scene& at, const std::string& id) {
    return at.get("/failures?message_id=" + id)["entries"].at(0)["entry"];
}

}  // namespace

TEST_SUITE("api operations") {
    TEST_CASE("failed messages are shown in groups") {
        api_scene at;
        for (const char* id : {"a", "b"}) at.put(id, 2);
        at.put("c", 2, "audit");
        at.put("d", 1);
        const auto found = at.get("/messages/groups");
        CHECK(found["looked_at"] == 3);
        CHECK(found["complete"] == true);
        REQUIRE(found["groups"].size() == 2);
        CHECK(found["groups"][0]["exchange"] == "orders");
        CHECK(found["groups"][0]["error"] == "312 NO_ROUTE");
        CHECK(found["groups"][0]["rows"] == 2);
        CHECK(at.get("/messages/groups?exchange=audit")["groups"].size() == 1);
        CHECK(at.get("/messages/groups?status=delivered")["looked_at"] == 1);
        CHECK(at.ask("GET", "/messages/groups?exchnage=x").first == 400);
    }

    TEST_CASE("a failed message is changed and sent again, and only a failed one") {
        api_scene at;
        at.put("a", 2);
        at.put("b", 1);
        const auto done = at.ask("POST", "/messages/a/resend",
                                 {{"exchange", "other"}, {"headers", {{"h", 1}}}, {"body", "{\"n\": \"ü\"}"}});
        CHECK(done.first == 200);
        CHECK(done.second["outcome"] == "done");
        const auto now = at.store->show("a", 100);
        CHECK(now->what.status == 0);
        CHECK(now->what.exchange == "other");
        CHECK(now->what.routing_key == "created");
        CHECK(json::parse(now->headers.value()) == json{{"h", 1}});
        CHECK(now->body == "{\"n\": \"ü\"}");
        for (const auto& [id, outcome] : {std::pair{"a", "not_failed"}, {"b", "not_failed"}, {"c", "gone"}}) {
            const auto late = at.ask("POST", std::string("/messages/") + id + "/resend", {{"exchange", "third"}});
            CHECK(late.first == 409);
            CHECK(late.second["outcome"] == outcome);
        }
        at.put("d", 2);
        CHECK(at.ask("POST", "/messages/d/resend", {{"exchange", std::string(300, 'x')}}).first == 422);
        CHECK(at.ask("POST", "/messages/d/resend", {{"headers", "text"}}).first == 400);
        CHECK(at.ask("POST", "/messages/d/resend", {{"body_hex", "6"}}).first == 400);
        CHECK(at.ask("POST", "/messages/d/resend", {{"bdoy", "x"}}).first == 400);
        CHECK(at.rows("id = 'd' AND status = 2") == 1);
        CHECK(at.ask("POST", "/messages/d/resend", {{"body_hex", "6869"}}).first == 200);
        CHECK(at.store->show("d", 100)->body == "hi");
    }

    TEST_CASE("messages are put back and deleted by their ids, and it is said what became of each") {
        api_scene at;
        for (const auto& [id, status] : {std::pair{"a", 2}, {"b", 1}, {"c", 0}, {"d", 2}}) at.put(id, status);
        const auto dry = at.ask("POST", "/messages/retry", {{"ids", {"a", "b"}}, {"dry_run", true}}).second;
        CHECK(dry["changed"] == 1);
        CHECK(at.rows("status = 2") == 2);
        const auto done = at.ask("POST", "/messages/retry", {{"ids", {"a", "b", "gone"}}}).second;
        CHECK(done["changed"] == 1);
        REQUIRE(done["unchanged"].size() == 2);
        CHECK(done["unchanged"][0]["id"] == "b");
        CHECK(done["unchanged"][0]["why"].get<std::string>().find("force: true") != std::string::npos);
        CHECK(done["unchanged"][1]["status"].is_null());
        CHECK(at.ask("POST", "/messages/retry", {{"ids", {"b"}}, {"force", true}}).second["changed"] == 1);
        CHECK(at.ask("POST", "/messages/delete", {{"ids", {"c", "d"}}}).second["changed"] == 1);
        CHECK(at.rows("id = 'd'") == 0);
        CHECK(at.rows("id = 'c'") == 1);
        for (const auto& wrong :
             {json{{"ids", json::array()}}, json{{"ids", "a"}}, json::object(), json{{"ids", {"a"}}, {"forse", true}}})
            CHECK(at.ask("POST", "/messages/retry", wrong).first == 400);
    }

    TEST_CASE("all messages that match are changed by a job, which is looked at by its id") {
        api_scene at;
        at.put_many(1'700, 2);
        at.put("other", 2, "audit");
        const json filter = {{"id_prefix", "m"}};
        const auto dry = at.ask("POST", "/messages/retry-matching", {{"filter", filter}, {"dry_run", true}});
        CHECK(dry.first == 200);
        CHECK(dry.second["count"] == 1'700);
        CHECK(dry.second["complete"] == true);
        const auto job = at.ended(at.ask("POST", "/messages/retry-matching", {{"filter", filter}}));
        CHECK(job["state"] == "done");
        CHECK(job["action"] == "retry messages");
        CHECK(job["total"] == 1'700);
        CHECK(job["changed"] == 1'700);
        CHECK(job["by"] == "anyone");
        CHECK(at.rows("status = 0") == 1'700);
        CHECK(at.rows("status = 2") == 1);

        CHECK(at.ask("POST", "/messages/delete-matching", {{"filter", filter}}).first == 400);
        const json undelivered = {{"id_prefix", "m"}, {"status", 0}};
        CHECK(at.ask("POST", "/messages/delete-matching", {{"filter", undelivered}}).first == 400);
        CHECK(at.ask("POST", "/messages/retry-matching", {{"filter", {{"status", 3}}}}).first == 400);
        CHECK(at.ask("POST", "/messages/retry-matching", {{"filter", {{"stauts", 2}}}}).first == 400);
        CHECK(at.rows("TRUE") == 1'701);
        const auto gone =
            at.ended(at.ask("POST", "/messages/delete-matching", {{"filter", undelivered}, {"force", true}}));
        CHECK(gone["changed"] == 1'700);
        CHECK(at.rows("TRUE") == 1);
        CHECK(at.get("/jobs")["jobs"].size() == 2);
        CHECK(at.ask("GET", "/jobs/none").first == 404);
    }

    TEST_CASE("the ledger is listed page by page, grouped and shown") {
        api_scene at;
        for (const char* id : {"a", "b", "c"}) at.fail(id);
        at.die("d", "somewhere");
        strings seen;
        std::string cursor;
        for (;;) {
            const auto page = at.get("/failures?limit=2" + cursor);
            CHECK(page["entries"].size() == 2);
            for (const auto& one : page["entries"]) seen.push_back(one["message_id"]);
            if (page["next"].is_null()) break;
            cursor = "&cursor=" + page["next"].get<std::string>();
        }
        CHECK(seen == strings{"d", "c", "b", "a"});
        CHECK(at.get("/failures?side=producer&reason=NO_ROUTE")["entries"].size() == 3);
        CHECK(at.get("/failures?before_time=1")["entries"].empty());
        CHECK(at.ask("GET", "/failures?side=both").first == 400);
        CHECK(at.ask("GET", "/failures?cursor=abc").first == 400);
        CHECK(at.ask("GET", "/failures?before=1").first == 400);
        const auto groups = at.get("/failures/groups");
        REQUIRE(groups["groups"].size() == 2);
        CHECK(groups["groups"][0]["entries"] == 3);
        CHECK(groups["groups"][1]["reason"] == "rejected in queue 'somewhere'");

        const auto entry = std::to_string(entry_of(at, "d"));
        const auto shown = at.get("/failures/" + entry);
        CHECK(shown["message_id"] == "d");
        CHECK(shown["payload"]["text"] == "body of d");
        CHECK(shown["payload"]["complete"] == true);
        const auto start = at.get("/failures/" + entry + "?payload_bytes=4");
        CHECK(start["payload"]["text"] == "body");
        CHECK(start["payload"]["size"] == 9);
        CHECK(start["payload"]["complete"] == false);
        for (const char* none : {"1000000000000", "x", "9223372036854775807", "1x"})
            CHECK(at.ask("GET", std::string("/failures/") + none).first == 404);
    }

    TEST_CASE("failures are sent again and deleted, by number and all that match") {
        api_scene at;
        support::broker rabbit;
        const auto queue = support::unique_name("again");
        rabbit.declare_queue(queue);
        at.fail("a");
        at.die("b", queue);
        const auto a = entry_of(at, "a"), b = entry_of(at, "b");
        const auto outcomes = [&](const json& answer) {
            strings all;
            for (const auto& one : answer["results"]) all.push_back(one["outcome"]);
            return all;
        };
        const json both = {{"entries", {a, b, 1'000'000'000'000}}};
        CHECK(outcomes(at.ask("POST", "/failures/retry", both).second) == strings{"done", "done", "no_entry"});
        CHECK(at.rows("id = 'a' AND status = 0") == 1);
        CHECK(rabbit.depth(queue) == 1);
        CHECK(outcomes(at.ask("POST", "/failures/retry", both).second) == strings{"not_failed", "already", "no_entry"});
        const json repeated = {{"entries", {b}}, {"repeat", true}};
        CHECK(outcomes(at.ask("POST", "/failures/retry", repeated).second) == strings{"done"});
        CHECK(rabbit.depth(queue) == 2);
        CHECK(outcomes(at.ask("POST", "/failures/delete", both).second) == strings{"done", "done", "no_entry"});
        CHECK(at.get("/failures")["entries"].empty());

        for (int i = 0; i < 20; ++i) at.die("c" + std::to_string(i), queue);
        const json filter = {{"side", "consumer"}};
        const auto dry = at.ask("POST", "/failures/retry-matching", {{"filter", filter}, {"dry_run", true}}).second;
        CHECK(dry["count"] == 20);
        const auto job = at.ended(at.ask("POST", "/failures/retry-matching", {{"filter", filter}}));
        CHECK(job["state"] == "done");
        CHECK(job["changed"] == 20);
        CHECK(rabbit.depth(queue) == 22);
        const auto again = at.ended(at.ask("POST", "/failures/retry-matching", {{"filter", filter}}));
        CHECK(again["changed"] == 0);
        CHECK(again["left"] == 20);
        CHECK(at.ask("POST", "/failures/delete-matching", json::object()).first == 400);
        CHECK(at.ask("POST", "/failures/delete-matching", {{"filter", {{"side", nullptr}}}}).first == 400);
        CHECK(at.ended(at.ask("POST", "/failures/delete-matching", {{"filter", filter}}))["changed"] == 20);
        CHECK(at.get("/failures")["entries"].empty());
        rabbit.delete_queue(queue);
    }

    TEST_CASE("a dead-letter queue is redriven by a job, which can be stopped, and which a stop of all ends") {
        api_scene at;
        support::broker rabbit;
        support::graveyard grave(rabbit);
        for (int i = 0; i < 30; ++i) rabbit.publish(grave.exchange(), "order.created", "{}", "m" + std::to_string(i));
        REQUIRE(eventually([&] { return rabbit.depth(grave.dead()) == 30; }));
        grave.heal();
        const auto path = "/dead-letters/" + grave.dead() + "/redrive";
        const auto dry = at.ask("POST", path, {{"dry_run", true}});
        CHECK(dry.first == 200);
        CHECK(dry.second["looked_at"] == 30);
        REQUIRE(eventually([&] { return rabbit.depth(grave.dead()) == 30; }));

        const auto some = at.ended(at.ask("POST", path, {{"limit", 5}}));
        CHECK(some["state"] == "done");
        CHECK(some["changed"] == 5);
        CHECK(rabbit.depth(grave.queue()) == 5);

        const auto slow = at.ask("POST", path, {{"rate", 1}}).second["job"]["id"].get<std::string>();
        REQUIRE(eventually([&] { return at.get("/jobs/" + slow)["changed"] >= 1; }));
        CHECK(at.ask("DELETE", "/jobs/" + slow).first == 200);
        REQUIRE(eventually([&] { return at.get("/jobs/" + slow)["state"] == "stopped"; }));
        CHECK(rabbit.depth(grave.queue()) < 30);

        const auto none = at.ended(at.ask("POST", "/dead-letters/" + support::unique_name("none") + "/redrive"));
        CHECK(none["state"] == "failed");
        CHECK(none["error"].get<std::string>().find("404") != std::string::npos);

        const auto last = at.ask("POST", path, {{"rate", 1}}).second["job"]["id"].get<std::string>();
        REQUIRE(eventually([&] { return at.get("/jobs/" + last)["changed"] >= 1; }));
        at.sidecar.signal(SIGTERM);
        CHECK(at.sidecar.wait() == 0);
        REQUIRE(eventually([&] { return rabbit.depth(grave.queue()) + rabbit.depth(grave.dead()) == 30; }));
    }
}
