// Several tables relayed by one process: two of MariaDB, one of PostgreSQL.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "test/support/control.hpp"
#include "test/support/environment.hpp"
#include "test/support/exposition.hpp"
#include "test/support/http.hpp"
#include "test/support/postgresql.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using nlohmann::json;
using support::eventually;
using support::run_sidecar;
using support::sidecar_process;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<json> lines_of(const std::string& text) {
    std::vector<json> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        auto one = json::parse(line, nullptr, false);
        if (one.is_object()) all.push_back(std::move(one));
    }
    return all;
}

/// Lines of the log about this event of this source.
std::size_t told(const sidecar_process& by, const std::string& event, const std::string& source) {
    std::size_t number = 0;
    for (const auto& line : lines_of(by.err())) number += line["event"] == event && line.value("source", "") == source;
    return number;
}

struct sources_scene {
    support::table orders = support::table::recommended();
    support::table stock = support::table::recommended();
    support::postgresql_table billing = support::postgresql_table::recommended();
    support::database mariadb;
    support::broker rabbit;
    support::route to{rabbit};
    support::folder folder;

    std::string source(const std::string& name, const conf::database& at, const std::string& more = {}) const {
        return fmt::format("  - name: {}\n    database: {{url: \"{}\", table: {}}}\n{}", name, at.url, at.table, more);
    }
    std::string all() const {
        return source("orders", orders.settings()) + source("stock", stock.settings()) +
               source("billing", billing.settings());
    }
    std::string write(const std::string& sources) const {
        return folder.write(
            "sidecar.yaml",
            fmt::format("broker: {{urls: [\"{}\"], reconnect_max: 300ms}}\nretry: {{max_retries: 0}}\n"
                        "http: {{probes: \"127.0.0.1:0\", metrics: \"127.0.0.1:0\"}}\nlog: {{format: json}}\n"
                        "sources:\n{}",
                        support::amqp_url(), sources));
    }

    void insert(const support::table& into, std::size_t count, const std::string& prefix) {
        support::insert(mariadb, into, count, to.exchange(), "key", prefix);
    }
    void insert_billing(std::size_t count, const std::string& prefix) const {
        support::postgresql().execute(
            fmt::format("INSERT INTO {} (id, msg, exchange, routing_key) SELECT '{}' || i, 'body', '{}', 'key' FROM "
                        "generate_series(1, {}) AS i",
                        billing.name(), prefix, to.exchange(), count));
    }
    bool delivers(const support::table& from, std::size_t rows) {
        return eventually([&] { return support::count(mariadb, from, "status = 1") == rows; });
    }
    bool delivers_billing(std::int64_t rows) const {
        return eventually([&] {
            try {
                return support::postgresql().number("SELECT count(*) FROM " + billing.name() + " WHERE status = 1") ==
                       rows;
            } catch (const std::runtime_error&) {
                return false;  // away
            }
        });
    }
};

std::uint16_t port_of(sidecar_process& sidecar, const std::string& path) {
    REQUIRE(sidecar.says(path));
    int port = 0;
    for (const auto& event : lines_of(sidecar.err())) {
        if (event["event"] != "http_listening" || !contains(event["paths"], path)) continue;
        const std::string address = event["address"];
        port = std::stoi(address.substr(address.rfind(':') + 1));
    }
    return static_cast<std::uint16_t>(port);
}

double value(std::uint16_t port, const std::string& series) {
    return support::value_of(support::read_exposition(support::http_get(port, "/metrics").body), series);
}

std::string confirmed_by(const std::string& source) {
    return fmt::format("outbox_attempts_total{{source=\"{}\",outcome=\"confirmed\"}}", source);
}

}  // namespace

TEST_SUITE("sources") {
    TEST_CASE_FIXTURE(sources_scene, "all are relayed by one process, told apart, and drained together") {
        sidecar_process sidecar({"--config", write(all())}, {});
        const auto metrics = port_of(sidecar, "/metrics");
        const auto probes = port_of(sidecar, "/readyz");
        insert(orders, 40, "o");
        insert(stock, 30, "s");
        insert_billing(20, "b");
        CHECK(delivers(orders, 40));
        CHECK(delivers(stock, 30));
        CHECK(delivers_billing(20));
        CHECK(support::ids_of(rabbit.take_all(to.queue())).size() == 90);
        CHECK(eventually([&] { return value(metrics, confirmed_by("orders")) == 40; }));
        CHECK(eventually([&] { return value(metrics, confirmed_by("stock")) == 30; }));
        CHECK(eventually([&] { return value(metrics, confirmed_by("billing")) == 20; }));
        CHECK(eventually(
            [&] { return value(metrics, "outbox_backlog_rows{source=\"stock\",status=\"delivered\"}") == 30; }));
        const auto text = support::http_get(metrics, "/metrics").body;
        for (const auto& objection : support::lint(support::read_exposition(text))) FAIL_CHECK(objection);
        CHECK(eventually([&] { return support::http_get(probes, "/readyz").status == 200; }));

        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        for (const char* name : {"orders", "stock", "billing"}) {
            CAPTURE(name);
            CHECK(told(sidecar, "started", name) == 1);
            CHECK(told(sidecar, "lane_released", name) + told(sidecar, "lane_taken", name) >= 1);
            CHECK(told(sidecar, "stopped", name) == 1);
        }
        CHECK(told(sidecar, "stopping", "") == 1);
    }

    TEST_CASE_FIXTURE(sources_scene, "while the database of one is away the others go on") {
        sidecar_process sidecar({"--config", write(all())}, {});
        const auto probes = port_of(sidecar, "/readyz");
        insert_billing(1, "b");
        REQUIRE(delivers_billing(1));
        REQUIRE(eventually([&] { return support::http_get(probes, "/readyz").status == 200; }));

        support::outage outage(support::server::postgresql, support::manner::stop);
        REQUIRE(eventually([&] { return support::http_get(probes, "/readyz").status == 503; }));
        insert(orders, 50, "o");
        insert(stock, 50, "s");
        CHECK(delivers(orders, 50));
        CHECK(delivers(stock, 50));
        const auto reasons = json::parse(support::http_get(probes, "/readyz").body)["reasons"];
        CHECK(reasons.size() > 0);
        for (const auto& why : reasons) CHECK(why.get<std::string>().starts_with("billing: database"));
        CHECK(support::http_get(probes, "/livez").status == 200);

        outage.end();
        insert_billing(5, "again");
        CHECK(delivers_billing(6));
        CHECK(eventually([&] { return support::http_get(probes, "/readyz").status == 200; }));
        CHECK(told(sidecar, "database_down", "orders") == 0);
        CHECK(told(sidecar, "stopped", "orders") == 0);
    }

    TEST_CASE_FIXTURE(sources_scene,
                      "on SIGHUP only what has changed starts over, a new source begins, and one that is gone ends") {
        sidecar_process sidecar(
            {"--config", write(source("orders", orders.settings()) + source("stock", stock.settings()))}, {});
        const auto metrics = port_of(sidecar, "/metrics");
        insert(orders, 3, "o");
        insert(stock, 3, "s");
        REQUIRE(delivers(orders, 3));
        REQUIRE(delivers(stock, 3));

        insert_billing(4, "b");
        write(source("orders", orders.settings()) + source("stock", stock.settings(), "    relay: {window: 77}\n") +
              source("billing", billing.settings()));
        sidecar.signal(SIGHUP);
        CHECK(delivers_billing(4));
        CHECK(eventually([&] { return told(sidecar, "started", "stock") == 2; }));
        insert(stock, 3, "t");
        CHECK(delivers(stock, 6));
        CHECK(told(sidecar, "started", "orders") == 1);
        CHECK(told(sidecar, "stopped", "orders") == 0);
        CHECK(value(metrics, confirmed_by("stock")) >= 3);  // its counts outlast the change

        write(source("orders", orders.settings()) + source("billing", billing.settings()));
        sidecar.signal(SIGHUP);
        REQUIRE(eventually([&] { return told(sidecar, "stopped", "stock") == 2; }));
        CHECK(eventually([&] { return !contains(support::http_get(metrics, "/metrics").body, "\"stock\""); }));
        insert(stock, 1, "late");
        insert(orders, 2, "p");
        CHECK(delivers(orders, 5));
        CHECK(support::count(mariadb, stock, "status = 0") == 1);

        write(source("orders", orders.settings()) + source("orders", stock.settings()));
        sidecar.signal(SIGHUP);
        CHECK(sidecar.says("is the name of another source, too"));
        CHECK(told(sidecar, "stopped", "billing") == 0);

        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
    }

    TEST_CASE_FIXTURE(sources_scene, "until empty: it ends when all of them are") {
        insert(orders, 300, "o");
        insert_billing(2, "b");
        sidecar_process job({"run", "--until-empty", "--config", write(all())}, {});
        CHECK(job.wait() == 0);
        CHECK(delivers(orders, 300));
        CHECK(delivers_billing(2));
        for (const char* name : {"orders", "stock", "billing"}) CHECK(told(job, "emptied", name) == 1);

        insert(orders, 1, "p");
        insert(stock, 1, "p");
        sidecar_process one({"run", "--until-empty", "--source", "stock", "--config", folder.file("sidecar.yaml")}, {});
        CHECK(one.wait() == 0);
        CHECK(delivers(stock, 1));
        CHECK(support::count(mariadb, orders, "status = 0") == 1);
    }

    TEST_CASE_FIXTURE(sources_scene,
                      "status, doctor, migrate, purge and check go through all of them; the others ask for one") {
        conf::database nowhere;
        nowhere.url = "postgresql://u@127.0.0.1:1/x";
        const auto file = write(all() + source("gone", nowhere));
        const auto told_by = [&](std::vector<std::string> arguments) {
            arguments.insert(arguments.end(), {"--config", file});
            return run_sidecar(arguments, {});
        };
        insert(orders, 3, "o");
        insert_billing(2, "b");
        const auto status = told_by({"status"});
        CHECK(status.code == 69);
        for (const char* name : {"Source orders\n", "Source stock\n", "Source billing\n", "Source gone\n"})
            CHECK(contains(status.out, name));
        CHECK(contains(status.err, "outbox-sidecar: gone: "));

        const auto documents = lines_of(told_by({"status", "--json"}).out);
        REQUIRE(documents.size() == 4);
        CHECK(documents[0]["source"] == "orders");
        CHECK(documents[0]["due"] == 3);
        CHECK(documents[2]["due"] == 2);
        CHECK(documents[3]["source"] == "gone");
        CHECK(documents[3].contains("error"));
        const auto only = told_by({"status", "--json", "--source", "billing"});
        CHECK(only.code == 0);
        CHECK(json::parse(only.out)["due"] == 2);
        CHECK_FALSE(json::parse(only.out).contains("source"));

        for (const auto& command : std::vector<std::vector<std::string>>{
                 {"migrate"}, {"migrate", "--status"}, {"migrate", "--print"}, {"doctor"}, {"purge", "--dry-run"}}) {
            CAPTURE(command.back());
            auto as_json = command;
            as_json.push_back("--json");
            CHECK(contains(told_by(command).out, "Source billing\n"));
            const auto of_each = lines_of(told_by(as_json).out);
            REQUIRE(of_each.size() == 4);
            CHECK(of_each[1]["source"] == "stock");
        }
        CHECK(contains(told_by({"check"}).out, "name: billing"));
        CHECK_FALSE(contains(told_by({"check", "--source", "orders"}).out, "name: billing"));

        for (const auto& command : std::vector<std::vector<std::string>>{
                 {"list"}, {"show", "o1"}, {"retry", "o1"}, {"failures"}, {"redrive", "q"}}) {
            const auto refused = told_by(command);
            CHECK(refused.code == 64);
            CHECK(contains(refused.err, "orders, stock, billing, gone"));
            CHECK(refused.out.empty());
        }
        CHECK(contains(told_by({"list", "--source", "orders"}).out, "o1"));
        CHECK(contains(told_by({"list", "--source", "nobody"}).err, "there is none called nobody"));
        CHECK(told_by({"list", "--source", "nobody"}).code == 64);
    }

    TEST_CASE_FIXTURE(sources_scene, "one source is made its tables beside another's in the same database") {
        const auto other = support::unique_name("t");
        const auto file = write(
            source("orders", orders.settings()) +
            fmt::format("  - name: more\n    database: {{url: \"{}\", table: {}}}\n", orders.settings().url, other));
        CHECK(run_sidecar({"migrate", "--config", file}, {}).code == 0);
        const auto again = run_sidecar({"migrate", "--config", file}, {});
        CHECK(contains(again.out, "nothing to do"));
        sidecar_process sidecar({"--config", file}, {});
        mariadb.execute("INSERT INTO " + other + " (msg, exchange, routing_key) VALUES ('x', '" + to.exchange() +
                        "', 'k')");
        insert(orders, 2, "o");
        CHECK(delivers(orders, 2));
        CHECK(eventually([&] { return mariadb.number("SELECT count(*) FROM " + other + " WHERE status = 1") == 1; }));
        mariadb.execute("DROP TABLE " + other);
    }
}
