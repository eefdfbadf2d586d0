// `doctor` against real servers: what it finds, that its cures work, and that it changes nothing.

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "test/support/broker.hpp"
#include "test/support/control.hpp"
#include "test/support/database.hpp"
#include "test/support/environment.hpp"
#include "test/support/messages.hpp"
#include "test/support/sidecar.hpp"

using nlohmann::json;
using support::settings_for;

namespace {

struct examination {
    int code = 0;
    json all;

    std::size_t count(const std::string& side, const std::string& level) const {
        std::size_t number = 0;
        for (const auto& one : all[side]["findings"]) number += one["level"] == level ? 1 : 0;
        return number;
    }
    /// An empty object if there is none.
    json about(const std::string& side, const std::string& subject) const {
        for (const auto& one : all[side]["findings"]) {
            if (one["subject"] == subject) return one;
        }
        return json::object();
    }
    std::string level(const std::string& side, const std::string& subject) const {
        return about(side, subject).value("level", "none");
    }
    std::string found(const std::string& side, const std::string& subject) const {
        return about(side, subject).value("found", "");
    }
    /// The statements that are advised for the database.
    std::vector<std::string> cures() const {
        std::vector<std::string> statements;
        for (const auto& one : all["database"]["findings"]) {
            std::istringstream lines(one["advice"].get<std::string>());
            for (std::string line; std::getline(lines, line);) {
                if (line.ends_with(';')) statements.push_back(line.substr(0, line.size() - 1));
            }
        }
        return statements;
    }
};

examination examine(const support::variables& env, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"doctor", "--json"});
    const auto result = support::run_sidecar(arguments, env);
    INFO(result.err);
    REQUIRE(json::accept(result.out));
    return {result.code, json::parse(result.out)};
}

examination examine(const support::table& table) { return examine(settings_for(table)); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// An account with the rights given, dropped at the end.
struct account {
    support::database root{support::database::account::root};
    std::string name = support::unique_name("u").substr(0, 30);

    account(const support::table& table, const std::string& rights) {
        root.execute("CREATE USER '" + name + "'@'%' IDENTIFIED BY 'secret'");
        root.execute("GRANT " + rights + " ON shop." + table.name() + " TO '" + name + "'@'%'");
    }
    ~account() { root.execute("DROP USER '" + name + "'@'%'"); }

    support::variables settings(const support::table& table) const {
        auto env = settings_for(table);
        auto& url = env["OUTBOX_DATABASE_URL"];
        url = "mysql://" + name + ":secret" + url.substr(url.find('@'));
        return env;
    }
};

}  // namespace

TEST_SUITE("doctor") {
    TEST_CASE("a table as migrate makes it is in good health") {
        const auto table = support::table::recommended();
        const auto result = examine(table);
        CHECK(result.code == 0);
        CHECK_MESSAGE(result.all["problems"] == 0, result.all.dump(2));
        CHECK_MESSAGE(result.count("database", "advice") == 0, result.all.dump(2));
        CHECK(contains(result.found("database", "plan for reading due rows"), "msg_log_due"));
        CHECK(contains(result.found("database", "plan for purging"), "msg_log_purge"));
        CHECK(result.found("database", "isolation") == "READ-COMMITTED");
    }

    TEST_CASE("the classic table has no problem, and the statements that are advised cure all the rest") {
        const auto table = support::table::classic();
        const auto other = support::table::recommended();  // so that there is a table of leases
        support::database server;
        server.execute(table.in("INSERT INTO {} (id, msg, status) VALUES ('a', 'körper', 1)"));
        const auto before = examine(table);
        CHECK(before.code == 0);
        CHECK(before.all["problems"] == 0);
        for (const char* subject : {"width of msg", "optional columns", "charset", "index for due rows",
                                    "index for purging", "plan for reading due rows"})
            CHECK_MESSAGE(before.level("database", subject) == "advice", subject);

        for (const auto& statement : before.cures()) server.execute(statement);
        const auto after = examine(table);
        CHECK_MESSAGE(after.count("database", "advice") == 0, after.all.dump(2));
        CHECK(server.text(table.in("SELECT msg FROM {}")) == "körper");
    }

    TEST_CASE("a missing table is a problem and migrate is named as the cure") {
        const auto table = support::table::of("CREATE TABLE {} (only_a_name int)");
        support::database().execute(table.in("DROP TABLE {}"));
        const auto result = examine(table);
        support::database().execute(table.in("CREATE TABLE {} (only_a_name int)"));  // for the end of `table`
        CHECK(result.code == 1);
        CHECK(result.level("database", "table") == "problem");
        CHECK(contains(result.about("database", "table")["advice"], "migrate"));
    }

    TEST_CASE("missing columns, a missing key and an engine without transactions are problems with working cures") {
        const auto table = support::table::of(
            "CREATE TABLE {} (id varchar(255) NOT NULL, msg text, exchange varchar(255), routing_key varchar(255), "
            "status int NOT NULL DEFAULT 0) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4");
        support::database server;
        auto result = examine(table);
        CHECK(result.code == 1);
        CHECK(contains(result.found("database", "columns"), "try_count, next_try_time, create_time, update_time"));
        CHECK(result.level("database", "primary key") == "problem");
        CHECK(result.level("database", "engine") == "problem");
        // With the columns there, more can be looked at.
        for (int round = 0; round < 2; ++round) {
            for (const auto& statement : result.cures()) server.execute(statement);
            result = examine(table);
        }
        CHECK_MESSAGE(result.count("database", "advice") == 0, result.all.dump(2));
        CHECK_MESSAGE(result.all["problems"] == 0, result.all.dump(2));
    }

    TEST_CASE("columns of the wrong kind are named") {
        const auto table = support::table::of(
            "CREATE TABLE {} (id varchar(255) PRIMARY KEY, msg longtext, exchange varchar(255), routing_key "
            "varchar(255), "
            "status varchar(10), try_count tinyint, next_try_time int, create_time datetime, update_time bigint)");
        const auto result = examine(table);
        CHECK(result.code == 1);
        const auto found = result.found("database", "column types");
        for (const char* part : {"status is varchar", "next_try_time is int", "create_time is datetime"})
            CHECK(contains(found, part));
        CHECK(result.level("database", "width of try_count") == "advice");
    }

    TEST_CASE("an account without the rights gets the GRANT that it needs") {
        const auto table = support::table::recommended();
        const account poor(table, "SELECT");
        const auto before = examine(poor.settings(table));
        CHECK(before.code == 1);
        CHECK(before.level("database", "rights") == "problem");
        REQUIRE(before.cures().size() == 1);
        CHECK(contains(before.cures()[0], "GRANT UPDATE, DELETE ON"));
        support::database(support::database::account::root).execute(before.cures()[0]);
        CHECK(examine(poor.settings(table)).code == 0);
    }

    TEST_CASE("an account that sees the table of leases and can't change it gets the GRANT that it needs") {
        const auto table = support::table::recommended();
        account reader(table, "SELECT, UPDATE, DELETE");
        CHECK(contains(examine(reader.settings(table)).found("database", "several sidecars"), "no right"));
        reader.root.execute("GRANT SELECT ON shop.msg_lane TO '" + reader.name + "'@'%'");
        const auto before = examine(reader.settings(table));
        CHECK(before.level("database", "several sidecars") == "problem");
        REQUIRE(before.cures().size() == 1);
        reader.root.execute(before.cures()[0]);
        CHECK(examine(reader.settings(table)).level("database", "several sidecars") == "ok");
    }

    TEST_CASE("without DELETE only purging suffers, unless delivered rows are to be removed") {
        const auto table = support::table::recommended();
        const account modest(table, "SELECT, UPDATE");
        CHECK(examine(modest.settings(table)).level("database", "rights") == "advice");
        CHECK(examine(modest.settings(table), {"--set", "relay.after_delivery=delete"}).level("database", "rights") ==
              "problem");
    }

    TEST_CASE("an account that may only insert is told so, and the broker is examined all the same") {
        const auto table = support::table::recommended();
        const account blind(table, "INSERT");
        const auto result = examine(blind.settings(table));
        CHECK(result.code == 1);
        CHECK(result.level("database", "rights") == "problem");
        CHECK(result.all["broker"]["reachable"] == true);
    }

    TEST_CASE("rows that nobody will send are counted") {
        const auto table = support::table::recommended();
        support::database().execute(
            table.in("INSERT INTO {} (msg, status, try_count) VALUES ('', 9, 0), ('', 9, 0), "
                     "('', -1, 0), ('', 0, -5)"));
        const auto result = examine(table);
        std::string all;
        for (const auto& one : result.all["database"]["findings"]) all += one["found"].get<std::string>() + "\n";
        CHECK(contains(all, "9 (2 rows)"));
        CHECK(contains(all, "-1 (1 rows)"));
        CHECK(contains(all, "negative try_count"));
    }

    TEST_CASE("exchanges that waiting rows name and that do not exist are problems, with the number of rows") {
        const auto table = support::table::recommended();
        support::database server;
        support::broker rabbit;
        const support::route known(rabbit);
        const auto missing = support::unique_name("missing");
        support::insert(server, table, 2, known.exchange(), "key", "a");
        support::insert(server, table, 3, missing, "key", "b");
        support::insert(server, table, 1, std::string(255, 'x'), "key", "c");
        const auto result = examine(table);
        CHECK(result.code == 1);
        CHECK(contains(result.found("broker", "exchange '" + missing + "'"), "3 waiting row"));
        CHECK(result.level("broker", "exchange '" + known.exchange() + "'") == "none");
        CHECK(result.count("broker", "problem") == 2);
    }

    TEST_CASE("topology that does not exist is advice, and doctor does not create it") {
        const auto table = support::table::recommended();
        const support::folder folder;
        const auto queue = support::unique_name("q"), exchange = support::unique_name("x");
        const auto file = folder.write(
            "sidecar.yaml", "topology:\n  exchanges: [{name: " + exchange + "}]\n  queues: [{name: " + queue + "}]\n");
        const auto result = examine(settings_for(table), {"--config", file});
        CHECK(result.level("broker", "exchange '" + exchange + "'") == "advice");
        CHECK(result.level("broker", "queue '" + queue + "'") == "advice");
        support::broker rabbit;
        CHECK(!rabbit.exchange_exists(exchange));
        CHECK(!rabbit.queue_exists(queue));
    }

    TEST_CASE("the queues of receipts and dead letters are looked for, and not made") {
        const auto table = support::table::recommended();
        support::broker rabbit;
        const support::folder folder;
        const auto receipts = support::unique_name("receipts"), dead = support::unique_name("dead"),
                   gone = support::unique_name("gone"), to_come = support::unique_name("to_come");
        const auto file = [&](const std::string& limit) {
            return folder.write("sidecar.yaml", "receipts: {queue: " + receipts + "}\ndead_letters: [{queue: " + dead +
                                                    "}, {queue: " + gone + "}, {queue: " + to_come +
                                                    "}]\ntopology:\n  queues:\n    - {name: " + to_come + "}\n" +
                                                    limit);
        };
        const auto look = [&](const std::string& limit = {}) {
            return examine(settings_for(table), {"--config", file(limit)});
        };
        const auto of_receipts = "receipts queue '" + receipts + "'";
        rabbit.declare_queue(dead);
        auto result = look();
        CHECK(result.level("broker", of_receipts) == "ok");
        CHECK(contains(result.found("broker", of_receipts), "not there yet"));
        CHECK(result.level("broker", "dead-letter queue '" + dead + "'") == "ok");
        CHECK(result.level("broker", "dead-letter queue '" + gone + "'") == "problem");
        CHECK(contains(result.found("broker", "dead-letter queue '" + to_come + "'"), "as the topology names it"));
        for (const auto& name : {receipts, gone, to_come}) CHECK(!rabbit.queue_exists(name));

        rabbit.declare_queue(receipts);
        CHECK(contains(look().found("broker", of_receipts), "it must have no delivery limit"));
        const auto quorum = "    - {name: " + receipts + ", arguments: {x-queue-type: quorum, x-delivery-limit: ";
        CHECK(look(quorum + "5}}\n").level("broker", of_receipts) == "advice");
        result = look(quorum + "-1}}\n");
        CHECK(result.level("broker", of_receipts) == "ok");
        CHECK(result.found("broker", of_receipts) == "exists");
        rabbit.delete_queue(receipts);
        rabbit.delete_queue(dead);
    }

    TEST_CASE("doctor changes nothing in the table") {
        const auto table = support::table::recommended();
        support::database server;
        server.execute(table.in("INSERT INTO {} (msg, status) VALUES ('a', 0), ('b', 1), ('c', 9)"));
        const support::audit audit(table);
        const auto before = server.rows(table.in("CHECKSUM TABLE {}"));
        CHECK(examine(table).level("database", "triggers") == "advice");  // the audit's
        CHECK(server.rows(table.in("CHECKSUM TABLE {}")) == before);
        CHECK(audit.updates(server) == 0);
    }

    TEST_CASE("each side is examined when the other can't be reached") {
        const auto table = support::table::recommended();
        auto env = settings_for(table);
        env["OUTBOX_BROKER_URLS"] = "amqp://127.0.0.1:1/";
        const auto no_broker = examine(env);
        CHECK(no_broker.code == 69);
        CHECK(no_broker.all["broker"]["reachable"] == false);
        CHECK(no_broker.level("database", "engine") == "ok");

        env = settings_for(table);
        env["OUTBOX_DATABASE_URL"] = "mysql://outbox:hush@127.0.0.1:1/shop";
        const auto no_database = examine(env);
        CHECK(no_database.code == 69);
        CHECK(no_database.all["database"]["reachable"] == false);
        CHECK(no_database.all["broker"]["reachable"] == true);
        CHECK(!contains(no_database.all.dump(), "hush"));
    }

    TEST_CASE("each broker is looked at, and one that answers is enough to be reachable") {
        const auto table = support::table::recommended();
        auto env = settings_for(table);
        env["OUTBOX_BROKER_URLS"] = "amqp://127.0.0.1:1/," + support::amqp_url();
        const auto result = examine(env);
        CHECK(result.code == 1);
        CHECK(result.all["broker"]["reachable"] == true);
        CHECK(result.level("broker", "amqp://127.0.0.1:1") == "problem");
    }

    TEST_CASE("a refused login is said to be one, without the password") {
        const auto table = support::table::recommended();
        const support::broker_account account("right");
        auto env = settings_for(table);
        env["OUTBOX_BROKER_URLS"] = account.url("hush-wrong");
        const auto result = examine(env);
        CHECK(result.code == 69);
        CHECK(contains(result.all.dump(), "ACCESS_REFUSED"));
        CHECK(!contains(result.all.dump(), "hush"));
    }

    TEST_CASE("the text form groups findings and ends with the number of problems") {
        const auto table = support::table::classic();
        const auto result = support::run_sidecar({"doctor"}, settings_for(table));
        CHECK(result.code == 0);
        for (const char* part :
             {"Database\n", "Broker\n", "Configuration\n", "  advice  ", "ADD KEY `msg_log_due`", "0 problems, "})
            CHECK_MESSAGE(contains(result.out, part), part);
    }
}
