// The program as an operator uses it: exit codes, output, signals.

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "test/support/control.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using nlohmann::json;
using support::eventually;
using support::run_sidecar;
using support::settings_for;
using support::sidecar_process;

namespace {

constexpr auto nowhere_database = "mysql://outbox:outbox@127.0.0.1:1/shop";
constexpr auto nowhere_broker = "amqp://guest:guest@127.0.0.1:1/";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string yaml_for(const support::table& table, const std::string& more = {}) {
    const auto settings = settings_for(table);
    return "database:\n  url: " + settings.at("OUTBOX_DATABASE_URL") + "\n  table: " + table.name() +
           "\nbroker:\n  urls: [\"" + settings.at("OUTBOX_BROKER_URLS") + "\"]\n" + more;
}

}  // namespace

TEST_SUITE("command line") {
    TEST_CASE("wrong usage exits with 64 and a hint, and help with 0") {
        const auto wrong = run_sidecar({"frobnicate"}, {});
        CHECK(wrong.code == 64);
        CHECK(contains(wrong.err, "--help"));
        CHECK(wrong.out.empty());
        const auto help = run_sidecar({"--help"}, {});
        CHECK(help.code == 0);
        for (const char* command : {"run", "check", "migrate", "doctor", "status", "purge", "list", "show", "retry",
                                    "delete", "failures", "redrive", "health", "version"})
            CHECK(contains(help.out, command));
    }

    TEST_CASE("the version needs no configuration") {
        CHECK(contains(run_sidecar({"version"}, {}).out, "outbox-sidecar "));
        CHECK(json::parse(run_sidecar({"version", "--json"}, {}).out).contains("version"));
    }

    TEST_CASE("check shows the effective configuration and no password, without connecting") {
        const support::variables env = {{"OUTBOX_DATABASE_URL", "mysql://outbox:hush1@127.0.0.1:1/shop"},
                                        {"OUTBOX_BROKER_URLS", "amqp://guest:hush2@127.0.0.1:1/"},
                                        {"OUTBOX_RETRY_INITIAL", "7s"}};
        const auto shown = run_sidecar({"check", "--set", "retry.max_retries=9"}, env);
        CHECK(shown.code == 0);
        CHECK(contains(shown.out, "initial: 7s"));
        CHECK(contains(shown.out, "max_retries: 9"));
        CHECK(!contains(shown.out + shown.err, "hush"));
        const auto document = json::parse(run_sidecar({"--json", "check"}, env).out);
        CHECK(document["retry"]["initial"] == "7s");
    }

    TEST_CASE("check reports all problems at once and exits with 78") {
        const support::folder folder;
        folder.write("bad.yaml", "database:\n  url: nonsense\nretry:\n  strategy: hope\npurge:\n  sometimes: 1\n");
        const auto refused = run_sidecar({"--config", "bad.yaml", "check"}, {}, folder.path());
        CHECK(refused.code == 78);
        CHECK(refused.out.empty());
        for (const char* part : {"bad.yaml:2", "bad.yaml:4", "bad.yaml:6", "broker.urls"})
            CHECK(contains(refused.err, part));
    }

    TEST_CASE("check finds what only the parts themselves can judge") {
        const auto refused =
            run_sidecar({"check", "--set", "purge.schedule=61 * * * *"},
                        {{"OUTBOX_DATABASE_URL", nowhere_database}, {"OUTBOX_BROKER_URLS", nowhere_broker}});
        CHECK(refused.code == 78);
        CHECK(contains(refused.err, "purge.schedule"));
    }

    TEST_CASE("a sidecar.yaml in the working folder is found by itself") {
        const support::folder folder;
        folder.write("sidecar.yaml", std::string("database:\n  url: ") + nowhere_database + "\nbroker:\n  urls: [\"" +
                                         nowhere_broker + "\"]\nretry:\n  initial: 11s\n");
        const auto shown = run_sidecar({"check"}, {}, folder.path());
        CHECK(shown.code == 0);
        CHECK(contains(shown.out, "initial: 11s"));
        CHECK(run_sidecar({"check"}, {{"OUTBOX_CONFIG", "/nowhere/at/all.yaml"}}, folder.path()).code == 78);
    }

    TEST_CASE("a database that can't be reached is exit code 69") {
        const support::variables env = {{"OUTBOX_DATABASE_URL", nowhere_database},
                                        {"OUTBOX_BROKER_URLS", nowhere_broker}};
        for (const char* command : {"status", "migrate", "purge"}) {
            const auto away = run_sidecar({command}, env);
            CHECK(away.code == 69);
            CHECK(contains(away.err, "connect"));
        }
        const auto script = run_sidecar({"migrate", "--print"}, env);
        CHECK(script.code == 0);
        CHECK(contains(script.out, "CREATE TABLE"));
    }

    TEST_CASE("migrate makes the table once") {
        const auto table = support::table::of("CREATE TABLE {} (only_a_name int)");
        support::database server;
        server.execute(table.in("DROP TABLE {}"));
        const auto env = settings_for(table);
        CHECK(json::parse(run_sidecar({"migrate", "--status", "--json"}, env).out).at(0)["applied_at"].is_null());

        const auto first = run_sidecar({"migrate"}, env);
        CHECK(first.code == 0);
        CHECK(contains(first.out, "applied 0001 msg_log"));
        CHECK(contains(run_sidecar({"migrate"}, env).out, "nothing to do"));
        CHECK(json::parse(run_sidecar({"migrate", "--json"}, env).out)["applied"].empty());
        CHECK(json::parse(run_sidecar({"migrate", "--status", "--json"}, env).out).at(0)["applied_at"].is_string());
        server.execute(table.in("INSERT INTO {} (msg, exchange, routing_key) VALUES ('{{}}', 'a', 'b')"));
    }

    TEST_CASE("status counts every status, also one that nobody knows, and what is due") {
        const auto table = support::table::recommended();
        support::database server;
        server.execute(
            table.in("INSERT INTO {} (id, msg, status, next_try_time) VALUES ('a', '', 0, 1), ('b', '', 0, "
                     "9000000000000), ('c', '', 2, 1), ('d', '', 77, 1)"));
        const auto all = json::parse(run_sidecar({"status", "--json"}, settings_for(table)).out);
        CHECK(all["rows"] == json::parse(R"([{"status":0,"name":"delivering","rows":2},
                                             {"status":2,"name":"failed","rows":1},
                                             {"status":77,"name":"unknown","rows":1}])"));
        CHECK(all["due"] == 1);
        CHECK(all["oldest_due_age_ms"] > 1'000'000'000);
        const auto text = run_sidecar({"status"}, settings_for(table));
        CHECK(text.code == 0);
        CHECK(contains(text.out, "unknown"));
        CHECK(contains(text.out, "due now"));
    }

    TEST_CASE("purge --dry-run deletes nothing and counts what purge then deletes") {
        const auto table = support::table::recommended();
        support::database server;
        server.execute(
            table.in("INSERT INTO {} (id, msg, status, update_time) VALUES ('a', '', 0, 1), ('b', '', 1, 1), "
                     "('c', '', 2, 1), ('d', '', 3, 1)"));
        const auto preview = json::parse(run_sidecar({"purge", "--dry-run", "--json"}, settings_for(table)).out);
        CHECK(preview["dry_run"] == true);
        CHECK(server.number(table.in("SELECT COUNT(*) FROM {}")) == 4);

        const auto done = json::parse(run_sidecar({"--json", "purge"}, settings_for(table)).out);
        CHECK(done["statuses"] == preview["statuses"]);
        CHECK(done["complete"] == true);
        CHECK(server.text(table.in("SELECT GROUP_CONCAT(id ORDER BY id) FROM {}")) == "a,c");
    }

    TEST_CASE("purge says so when nothing has a retention") {
        const auto table = support::table::recommended();
        const auto none = run_sidecar({"purge", "--set", "purge.delivered=never", "--set", "purge.consumed=never"},
                                      settings_for(table));
        CHECK(none.code == 0);
        CHECK(contains(none.out, "nothing has a retention"));
    }

    TEST_CASE("an interrupted purge stops between two batches and says how far it came") {
        const auto table = support::table::recommended();
        support::database server;
        server.execute(
            table.in("INSERT INTO {} (id, msg, status, update_time) VALUES ('a', '', 1, 1), ('b', '', 1, 1)"));
        sidecar_process purge({"purge", "--set", "purge.batch_rows=1", "--set", "purge.pause=1h"}, settings_for(table));
        REQUIRE(eventually([&] { return server.number(table.in("SELECT COUNT(*) FROM {}")) == 1; }));
        purge.signal(SIGINT);
        CHECK(purge.wait() == 1);
        CHECK(contains(purge.out(), "Stopped after 1 row"));
    }
}

TEST_SUITE("running") {
    TEST_CASE("told to stop, it drains, exits with 0 and has logged no message and no body") {
        support::scene here;
        support::insert(here.server, here.table, 20, here.to.exchange());
        sidecar_process sidecar({}, settings_for(here.table));
        REQUIRE(here.reaches(1, 20));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        CHECK(contains(sidecar.err(), R"("event":"stopped")"));
        CHECK(contains(sidecar.err(), R"("confirmed":20)"));
        CHECK(!contains(sidecar.err(), "number"));  // as in the bodies
        CHECK(!contains(sidecar.err(), "m7"));
        CHECK(!contains(sidecar.err(), "outbox:outbox"));
        std::istringstream lines(sidecar.err());
        for (std::string line; std::getline(lines, line);) CHECK(json::accept(line));
    }

    TEST_CASE("a message that fails for good is logged with its reason") {
        support::scene here;
        support::insert(here.server, here.table, 1, "no-such-exchange");
        sidecar_process sidecar({"--set", "retry.max_retries=0"}, settings_for(here.table));
        REQUIRE(here.reaches(2, 1));
        CHECK(sidecar.says(R"("event":"failed")"));
        CHECK(sidecar.says(R"("exchange":"no-such-exchange")"));
        CHECK(sidecar.says("404"));
    }

    TEST_CASE("servers that are away at the start are waited for, and a stop does not wait for them") {
        sidecar_process sidecar({"run", "--set", "log.format=json"},
                                {{"OUTBOX_DATABASE_URL", nowhere_database}, {"OUTBOX_BROKER_URLS", nowhere_broker}});
        CHECK(sidecar.says(R"("event":"broker_down")"));
        sidecar.signal(SIGINT);
        CHECK(sidecar.wait() == 0);
    }

    TEST_CASE("a second signal quits without waiting for the broker") {
        support::scene here;
        sidecar_process sidecar({"--set", "relay.drain_timeout=10m", "--set", "broker.heartbeat=5m"},
                                settings_for(here.table));
        REQUIRE(sidecar.says(R"("event":"broker_up")"));
        REQUIRE(sidecar.says(R"("event":"database_up")"));
        support::insert(here.server, here.table, 1, here.to.exchange(), "first", "first");
        REQUIRE(here.reaches(1, 1));
        support::paused_broker pause;
        support::insert(here.server, here.table, 5, here.to.exchange());
        support::database root(support::database::account::root);
        REQUIRE(support::read_by_now(root));
        sidecar.signal(SIGTERM);
        REQUIRE(sidecar.says(R"("event":"stopping")"));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 1);
        CHECK(contains(sidecar.err(), R"("event":"cut_short")"));
        CHECK(here.rows("status = 0 AND try_count = 0") == 5);
    }

    TEST_CASE("a bad file changes nothing on SIGHUP, and all that is wrong with it is said") {
        support::scene here;
        const support::folder folder;
        const auto file = folder.write("sidecar.yaml", yaml_for(here.table));
        sidecar_process sidecar({"--config", file}, {});
        REQUIRE(sidecar.says(R"("event":"broker_up")"));
        folder.write("sidecar.yaml", yaml_for(here.table, "retry:\n  initial: soon\npurge:\n  sometimes: 1\n"));
        sidecar.signal(SIGHUP);
        CHECK(sidecar.says(R"("event":"reload_refused")"));
        CHECK(sidecar.says("retry.initial"));
        CHECK(sidecar.says("purge.sometimes"));
        support::insert(here.server, here.table, 3, here.to.exchange());
        CHECK(here.reaches(1, 3));
    }

    TEST_CASE("a change of the settings takes effect on SIGHUP") {
        support::scene here;
        const auto other = support::table::recommended();
        const support::folder folder;
        const auto file = folder.write("sidecar.yaml", yaml_for(other));
        sidecar_process sidecar({"--config", file}, {});
        REQUIRE(sidecar.says(R"("event":"broker_up")"));
        support::insert(here.server, here.table, 3, here.to.exchange());
        folder.write("sidecar.yaml", yaml_for(here.table));
        sidecar.signal(SIGHUP);
        CHECK(here.reaches(1, 3));
        CHECK(contains(sidecar.err(), R"("event":"reloaded")"));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
    }
}
