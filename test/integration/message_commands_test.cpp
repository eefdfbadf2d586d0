// Looking at messages, putting them back and deleting them, as an operator does.

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "outbox/store.hpp"
#include "test/support/database.hpp"
#include "test/support/sidecar.hpp"
#include "test/support/waiting.hpp"

using nlohmann::json;
using support::result;
using support::settings_for;
using strings = std::vector<std::string>;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A table, and the sidecar's commands on it.
struct outbox_table {
    support::table table = support::table::recommended();
    support::database server;

    result run(const strings& arguments) const { return support::run_sidecar(arguments, settings_for(table)); }
    json json_of(strings arguments, int code = 0) const {
        arguments.emplace_back("--json");
        const auto done = run(arguments);
        INFO(done.err);
        CHECK(done.code == code);
        REQUIRE(json::accept(done.out));
        return json::parse(done.out);
    }
    void put(const std::string& id, int status, const std::string& update_time = "1", const std::string& body = "{}") {
        server.execute(
            table.in("INSERT INTO {} (id, msg, exchange, routing_key, status, try_count, update_time) "
                     "VALUES (" +
                     support::utf8(id) + ", " + support::utf8(body) + ", 'orders', 'created', " +
                     std::to_string(status) + ", 4, " + update_time + ")"));
    }
    void put_many(std::size_t count, int status) {
        std::string values;
        for (std::size_t i = 0; i < count; ++i)
            values += (i == 0 ? "" : ",") + ("('m" + std::to_string(i) + "', '', " + std::to_string(status) + ", " +
                                             std::to_string(i % 7) + ")");
        server.execute(table.in("INSERT INTO {} (id, msg, status, update_time) VALUES " + values));
    }
    std::int64_t rows(const std::string& where) {
        return server.number(table.in("SELECT COUNT(*) FROM {} WHERE " + where));
    }
};

strings ids_of(const json& list) {
    strings ids;
    for (const auto& one : list["messages"]) ids.push_back(one["id"]);
    return ids;
}

}  // namespace

TEST_SUITE("commands on messages") {
    TEST_CASE("list shows what the conditions say, the latest change first") {
        outbox_table at;
        at.put("a", 2, "10");
        at.put("b", 1, "20");
        at.put("c", 2, "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)");
        at.server.execute(at.table.in("UPDATE {} SET last_error = '312 NO_ROUTE' WHERE id = 'a'"));
        CHECK(ids_of(at.json_of({"list"})) == strings{"c", "b", "a"});
        CHECK(ids_of(at.json_of({"list", "--status", "failed"})) == strings{"c", "a"});
        CHECK(ids_of(at.json_of({"list", "--since", "1h"})) == strings{"c"});
        CHECK(ids_of(at.json_of({"list", "--before", "1h"})) == strings{"b", "a"});
        CHECK(ids_of(at.json_of({"list", "--before", "1970-01-01T00:00:00.02Z"})) == strings{"a"});
        CHECK(ids_of(at.json_of({"list", "--error", "NO_ROUTE", "--exchange", "orders"})) == strings{"a"});
        CHECK(ids_of(at.json_of({"list", "--error", "%"})).empty());
        const auto page = at.json_of({"list", "--limit", "2"});
        CHECK(page["more"] == true);
        CHECK(page["messages"].size() == 2);
        const auto one = at.json_of({"list", "--id-prefix", "a"})["messages"].at(0);
        CHECK(one["name"] == "failed");
        CHECK(one["try_count"] == 4);
        CHECK(one["update_time"] == 10);
        CHECK(one["last_error"] == "312 NO_ROUTE");
        CHECK(one["order_key"].is_null());
        CHECK(one["body_size"] == 2);

        const auto text = at.run({"list", "--status", "failed"}).out;
        CHECK(text.starts_with("ID "));
        CHECK(contains(text, "312 NO_ROUTE"));
        CHECK(contains(at.run({"list", "--limit", "1"}).out, "there are more"));
        CHECK(contains(at.run({"list", "--exchange", "none"}).out, "No messages"));
    }

    TEST_CASE("what is shown steers no terminal, whatever is in the row") {
        outbox_table at;
        const std::string hostile = "a\x1b[2J\n\u202E'%";
        at.put(hostile, 2, "1", "body \x1b[31m");
        at.server.execute(at.table.in("UPDATE {} SET last_error = ") + support::utf8("err\x1b]0;\x07"));
        for (const auto& shown : {at.run({"list"}), at.run({"show", hostile}), at.run({"retry", hostile + "x"})}) {
            CHECK_FALSE(contains(shown.out + shown.err, "\x1b"));
            CHECK_FALSE(contains(shown.out + shown.err, "\u202E"));
        }
        CHECK(at.json_of({"list"})["messages"].at(0)["id"] == hostile);
        CHECK(at.json_of({"show", hostile})["body"] == "body \x1b[31m");
    }

    TEST_CASE("show tells all of one message, and how much of the body it leaves out") {
        outbox_table at;
        at.put("a", 2, "1763713800000", R"({"n":1})");
        at.server.execute(at.table.in("UPDATE {} SET headers = '{\"h\":1}', order_key = 'o' WHERE id = 'a'"));
        const auto text = at.run({"show", "a"}).out;
        for (const char* part :
             {"2 (failed)", "orders", "created", "2025-11-21T08:30:00.000Z", "7 bytes", "\n  \"n\": 1\n"})
            CHECK_MESSAGE(contains(text, part), text);
        const auto document = at.json_of({"show", "a"});
        CHECK(document["body"] == R"({"n":1})");
        CHECK(document["body_complete"] == true);
        CHECK(json::parse(document["headers"].get<std::string>()) == json{{"h", 1}});

        at.put("long", 0, "1", std::string(10'000, 'x'));
        CHECK(contains(at.run({"show", "long"}).out, "--full"));
        CHECK(at.json_of({"show", "long"})["body"].get<std::string>().size() == 4'096);
        CHECK(at.json_of({"show", "long"})["body_complete"] == false);
        CHECK(at.json_of({"show", "long", "--full"})["body"].get<std::string>().size() == 10'000);

        const auto none = at.run({"show", "none"});
        CHECK(none.code == 1);
        CHECK(contains(none.err, "'none'"));
    }

    TEST_CASE("retry puts back what failed, and names what it leaves and why") {
        outbox_table at;
        for (const auto& [id, status] : {std::pair{"a", 2}, std::pair{"b", 0}, std::pair{"c", 1}, std::pair{"d", 3},
                                         std::pair{"e", 2}, std::pair{"f", 42}})
            at.put(id, status);
        const strings all{"retry", "a", "b", "c", "d", "e", "f", "gone", "a"};
        auto dry = all;
        dry.emplace_back("--dry-run");
        CHECK(at.json_of(dry, 1)["changed"] == 2);
        CHECK(at.rows("status = 2") == 2);

        const auto done = at.json_of(all, 1);
        CHECK(done["changed"] == 2);
        CHECK(at.rows("status = 0 AND try_count = 0 AND id IN ('a', 'e')") == 2);
        CHECK(done["unchanged"].size() == 5);
        std::map<std::string, std::string> why;
        for (const auto& one : done["unchanged"]) why[one["id"]] = one["why"];
        CHECK(contains(why["b"], "already"));
        CHECK(contains(why["c"], "--force"));
        CHECK(contains(why["d"], "consumed"));
        CHECK(contains(why["f"], "42"));
        CHECK(contains(why["gone"], "no such message"));
        CHECK(at.rows("status IN (1, 3, 42)") == 3);

        CHECK(at.run({"retry", "c", "--force"}).code == 0);
        CHECK(at.rows("status = 1") == 0);
        CHECK(at.run({"retry", "d", "--force"}).code == 1);
        CHECK(at.rows("status = 3") == 1);
        CHECK(contains(at.run({"retry", "d"}).err, "'d'"));
    }

    TEST_CASE("retry of all ends even when each message fails again at once") {
        outbox_table at;
        at.put_many(1'700, 2);
        at.server.execute(at.table.in("UPDATE {} SET update_time = NULL WHERE id LIKE 'm1%'"));
        at.server.execute(at.table.in(
            "CREATE TRIGGER fail_{} BEFORE UPDATE ON {} FOR EACH ROW SET NEW.status = 2, NEW.next_try_time = 77"));
        CHECK(at.json_of({"retry", "--all", "--dry-run"})["changed"] == 1'700);
        const auto done = at.json_of({"retry", "--all"});
        CHECK(done["changed"] == 1'700);
        CHECK(done["complete"] == true);
        CHECK(at.rows("status = 2 AND next_try_time = 77") == 1'700);
    }

    TEST_CASE("a message that somebody holds keeps none of the others from being put back, and is named") {
        outbox_table at;
        at.put_many(20, 2);
        support::database holder;
        holder.execute("BEGIN");
        holder.execute(at.table.in("UPDATE {} SET exchange = 'held' WHERE id = 'm7'"));
        const auto done = at.json_of({"retry", "--all"}, 1);
        CHECK(done["changed"] == 19);
        REQUIRE(done["unchanged"].size() == 1);
        CHECK(done["unchanged"][0]["id"] == "m7");
        CHECK(contains(at.run({"retry", "m7"}).err, "lock"));
        holder.execute("ROLLBACK");
        CHECK(at.run({"retry", "m7"}).code == 0);
        CHECK(at.rows("status = 0") == 20);
    }

    TEST_CASE("delete removes what it is told to, and what is still to be delivered only by force") {
        outbox_table at;
        for (const auto& [id, status] : {std::pair{"a", 2}, std::pair{"b", 0}, std::pair{"c", 1}, std::pair{"d", 0}})
            at.put(id, status);
        CHECK(at.json_of({"delete", "a", "b", "--dry-run"}, 1)["changed"] == 1);
        CHECK(at.rows("TRUE") == 4);
        const auto some = at.run({"delete", "a", "b", "c"});
        CHECK(some.code == 1);
        CHECK(contains(some.err, "'b'"));
        CHECK(contains(some.out, "2 messages deleted"));
        CHECK(at.rows("TRUE") == 2);
        CHECK(at.run({"delete", "b", "--force"}).code == 0);
        CHECK(at.rows("TRUE") == 1);

        at.put_many(1'200, 2);
        at.put("other", 2);
        CHECK(at.json_of({"delete", "--all", "--status", "failed", "--id-prefix", "m"})["changed"] == 1'200);
        CHECK(at.rows("TRUE") == 2);
        CHECK(at.run({"delete", "--all", "--status", "delivering"}).code == 64);
        CHECK(at.json_of({"delete", "--all", "--status", "delivering", "--force"})["changed"] == 1);
        CHECK(at.rows("id = 'other'") == 1);
    }

    TEST_CASE("failures are listed from the ledger, shown and retried from there") {
        outbox_table at;
        at.put("a", 0);
        at.put("b", 0, "1", R"({"n":1})");
        const auto store = outbox::make_store(at.table.settings(), {});
        const auto fail = [&](const std::string& id) {
            const std::vector<outbox::settlement> batch{
                {id, outbox::settlement::kind::failed, 4, {}, "404 NOT_FOUND " + id}};
            REQUIRE(store->settle(batch) == 1);
        };
        fail("a");
        fail("b");
        const auto list = at.json_of({"failures"});
        REQUIRE(list["entries"].size() == 2);
        CHECK(list["entries"][0]["message_id"] == "b");
        CHECK(list["entries"][0]["side"] == "producer");
        CHECK(list["entries"][0]["reason"] == "404 NOT_FOUND b");
        CHECK(at.json_of({"failures", "--limit", "1"})["more"] == true);
        const auto entry = std::to_string(list["entries"][0]["entry"].get<std::int64_t>());
        CHECK(at.json_of({"failures", "--before", entry})["entries"].size() == 1);
        CHECK(contains(at.run({"failures"}).out, "404 NOT_FOUND a"));
        CHECK(contains(at.run({"failures", "show", entry}).out, "\n  \"n\": 1\n"));
        CHECK(at.json_of({"failures", "show", entry})["payload"] == R"({"n":1})");

        CHECK(at.json_of({"failures", "retry", entry})["entries"][0]["outcome"] == "done");
        CHECK(at.rows("status = 0 AND id = 'b'") == 1);
        CHECK(at.json_of({"failures", "show", entry})["retries"] == 1);
        const auto again = at.run({"failures", "retry", entry, "-7"});
        CHECK(again.code != 0);
        CHECK(at.run({"failures", "show", "1000000000000"}).code == 1);
    }

    TEST_CASE("an account that may not write the ledger settles all the same, and the log and doctor say so") {
        support::own_database own;
        const auto table = support::table::recommended(own.name());
        support::database root(support::database::account::root);
        const auto user = support::unique_name("u").substr(0, 30);
        root.execute("CREATE USER '" + user + "'@'%' IDENTIFIED BY 'secret'");
        for (const auto& grant :
             {"SELECT, UPDATE, DELETE ON " + table.name(), "SELECT ON " + own.name() + ".sys_mq_fail"})
            root.execute("GRANT " + grant + " TO '" + user + "'@'%'");
        auto env = settings_for(table);
        auto& url = env["OUTBOX_DATABASE_URL"];
        url = "mysql://" + user + ":secret" + url.substr(url.find('@'));
        url.replace(url.rfind('/'), std::string::npos, "/" + own.name());

        support::database server;
        server.execute(
            table.in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('a', '', 'no-such-exchange', '')"));
        auto relay = env;
        relay["OUTBOX_RETRY_MAX_RETRIES"] = "0";
        support::sidecar_process sidecar({}, relay);
        CHECK(sidecar.says("can't be filed"));
        CHECK(support::eventually([&] { return server.number(table.in("SELECT status FROM {}")) == 2; }));
        CHECK(server.number("SELECT COUNT(*) FROM " + own.name() + ".sys_mq_fail") == 0);

        const auto about = [&] {
            const auto document = json::parse(support::run_sidecar({"doctor", "--json"}, env).out);
            for (const auto& one : document["database"]["findings"]) {
                if (one["subject"] == "failure ledger") return one;
            }
            return json::object();
        };
        const auto advised = about();
        CHECK(advised["level"] == "advice");
        const auto advice = advised["advice"].get<std::string>();
        root.execute(advice.substr(advice.rfind('\n') + 1, advice.rfind(';') - advice.rfind('\n') - 1));
        CHECK(about()["level"] == "ok");

        server.execute(
            table.in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('b', '', 'no-such-exchange', '')"));
        CHECK(support::eventually(
            [&] { return server.number("SELECT COUNT(*) FROM " + own.name() + ".sys_mq_fail") == 1; }));
        sidecar.signal(SIGTERM);
        sidecar.wait();
        root.execute("DROP USER '" + user + "'@'%'");
    }
}
