// Where there is no broker: messages are printed.

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"
#include "test/support/sqlite_file.hpp"

using nlohmann::json;
using support::settings_for;
using support::sidecar_process;

TEST_SUITE("log: instead of a broker") {
    TEST_CASE("each row is printed as one line of JSON and counts as delivered, and the log says what that is worth") {
        support::scene here;
        support::insert(here.server, here.table, 20, "shop", "order.created");
        auto env = settings_for(here.table);
        env["OUTBOX_BROKER_URLS"] = "log:";
        sidecar_process sidecar({}, env);
        REQUIRE(here.reaches(1, 20));
        CHECK(sidecar.says("no broker has confirmed anything"));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        std::istringstream lines(sidecar.out());
        int number = 0;
        for (std::string line; std::getline(lines, line); ++number) {
            const auto message = json::parse(line);
            CHECK(message["exchange"] == "shop");
            CHECK(message["routing_key"] == "order.created");
            CHECK(json::accept(message["body"].get<std::string>()));
        }
        CHECK(number == 20);
    }

    TEST_CASE("conf/dev.yaml relays with neither a database server nor a broker") {
        const support::sqlite_file file;
        const std::string yaml = OUTBOX_SOURCE_FOLDER "/conf/dev.yaml";
        const support::variables env = {{"OUTBOX_DATABASE_URL", "sqlite://" + file.path()}};
        CHECK(support::run_sidecar({"--config", yaml, "migrate"}, env).code == 0);
        sidecar_process sidecar({"--config", yaml, "run"}, env);
        support::sqlite_connection application(file.path());
        application.execute(
            "INSERT INTO msg_log (msg, exchange, routing_key) VALUES ('{\"order\": 42}', 'orders', 'order.created')");
        REQUIRE(support::eventually(
            [&] { return application.rows("SELECT 1 FROM msg_log WHERE status = 1").size() == 1; }));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        CHECK(json::parse(sidecar.out())["body"] == "{\"order\": 42}");
        CHECK(json::parse(sidecar.out())["message_id"].get<std::string>().size() == 36);
    }

    TEST_CASE("doctor says that there is no broker") {
        support::scene here;
        auto env = settings_for(here.table);
        env["OUTBOX_BROKER_URLS"] = "log:";
        const auto told = json::parse(support::run_sidecar({"doctor", "--json"}, env).out);
        CHECK(told["broker"]["findings"].dump().find("log:") != std::string::npos);
    }
}
