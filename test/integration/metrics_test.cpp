// What the program shows over HTTP while it relays, and when its servers go away.

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "outbox/store.hpp"
#include "test/support/control.hpp"
#include "test/support/environment.hpp"
#include "test/support/exposition.hpp"
#include "test/support/http.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using nlohmann::json;
using support::eventually;
using support::run_sidecar;
using support::sidecar_process;

namespace {

constexpr auto any_port = "127.0.0.1:0";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

support::variables shown(const support::table& on) {
    auto env = support::settings_for(on);
    env["OUTBOX_HTTP_PROBES"] = any_port;
    env["OUTBOX_HTTP_METRICS"] = any_port;
    env["OUTBOX_RETRY_MAX_RETRIES"] = "0";
    env["OUTBOX_BROKER_RECONNECT_MAX"] = "300ms";
    return env;
}

/// The port of the last line of the log that says where `path` is answered.
std::uint16_t port_of(sidecar_process& sidecar, const std::string& path) {
    REQUIRE(sidecar.says("http_listening"));
    std::istringstream lines(sidecar.err());
    int port = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto event = json::parse(line, nullptr, false);
        if (!event.is_object() || event["event"] != "http_listening" || !contains(event["paths"], path)) continue;
        const std::string address = event["address"];
        port = std::stoi(address.substr(address.rfind(':') + 1));
    }
    return static_cast<std::uint16_t>(port);
}

std::map<std::string, support::family> scrape(std::uint16_t port) {
    const auto answer = support::http_get(port, "/metrics");
    REQUIRE(answer.status == 200);
    CHECK(answer.fields.at("content-type") == "text/plain; version=0.0.4; charset=utf-8");
    return support::read_exposition(answer.body);
}

double value(std::uint16_t port, const std::string& series) { return support::value_of(scrape(port), series); }

std::set<std::string> names(const std::map<std::string, support::family>& all) {
    std::set<std::string> series;
    for (const auto& [name, one] : all) {
        for (const auto& [label, number] : one.samples) series.insert(label);
    }
    return series;
}

bool ready(std::uint16_t port) { return support::http_get(port, "/readyz").status == 200; }

}  // namespace

TEST_SUITE("metrics") {
    TEST_CASE("all series are there before the first message, and move with what happens to messages") {
        support::scene here;
        sidecar_process sidecar({}, shown(here.table));
        const auto port = port_of(sidecar, "/metrics");
        REQUIRE(eventually([&] { return value(port, "outbox_broker_connected") == 1; }));
        const auto before = scrape(port);
        for (const auto& objection : support::lint(before)) FAIL_CHECK(objection);
        for (const char* series : {"outbox_attempts_total{outcome=\"confirmed\"}", "outbox_failed_total",
                                   "outbox_settle_batch_rows_count", "outbox_delivery_lag_seconds_count"})
            CHECK(support::value_of(before, series) == 0);
        REQUIRE(eventually([&] { return value(port, "outbox_lanes_held") == 1; }));

        support::insert(here.server, here.table, 50, here.to.exchange());
        support::insert(here.server, here.table, 3, "", "nobody-has-this-queue", "lost");
        REQUIRE(here.reaches(1, 50));
        REQUIRE(here.reaches(2, 3));
        REQUIRE(eventually([&] { return value(port, "outbox_settle_batch_rows_sum") == 53; }));
        const auto after = scrape(port);
        const auto is = [&](const std::string& series) { return support::value_of(after, series); };
        CHECK(is("outbox_attempts_total{outcome=\"confirmed\"}") == 50);
        CHECK(is("outbox_attempts_total{outcome=\"returned\"}") == 3);
        CHECK(is("outbox_failed_total") == 3);
        CHECK(is("outbox_confirm_duration_seconds_count") == 53);
        CHECK(is("outbox_confirm_duration_seconds_sum") > 0);
        CHECK(is("outbox_delivery_lag_seconds_count") == 50);
        CHECK(is("outbox_delivery_lag_seconds_sum") / 50 < 30);
        CHECK(is("outbox_settled_elsewhere_total") == 0);
        CHECK(is("outbox_database_connected{role=\"settler\"}") == 1);
        CHECK(is("outbox_last_success_timestamp_seconds") > 1.6e9);
        CHECK(eventually([&] { return value(port, "outbox_backlog_rows{status=\"delivered\"}") == 50; }));
        CHECK(value(port, "outbox_backlog_rows{status=\"failed\"}") == 3);
        CHECK(value(port, "outbox_ledger_entries") >= 3);
        CHECK(eventually([&] { return value(port, "outbox_in_flight_rows") == 0; }));
        CHECK(names(scrape(port)) == names(before));
        for (const auto& objection : support::lint(after)) FAIL_CHECK(objection);

        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
    }

    TEST_CASE("what is due and for how long is shown while nothing can be sent") {
        support::scene here;
        auto env = shown(here.table);
        env["OUTBOX_BROKER_URLS"] = "amqp://guest:guest@127.0.0.1:1/";
        here.server.execute(
            here.table.in("INSERT INTO {} (msg, exchange, routing_key, next_try_time) VALUES "
                          "('a', 'e', 'k', UNIX_TIMESTAMP() * 1000 - 90000), "
                          "('b', 'e', 'k', UNIX_TIMESTAMP() * 1000 + 90000)"));
        sidecar_process sidecar({}, env);
        const auto port = port_of(sidecar, "/metrics");
        REQUIRE(eventually([&] { return value(port, "outbox_due_rows") == 1; }));
        const auto age = value(port, "outbox_oldest_due_age_seconds");
        CHECK(age >= 89);
        CHECK(age < 200);
        CHECK(value(port, "outbox_backlog_rows{status=\"delivering\"}") == 2);
        CHECK(value(port, "outbox_broker_connected") == 0);
    }

    TEST_CASE("without a broker a sidecar is not ready, says why, lives, and is ready again with it") {
        support::scene here;
        sidecar_process sidecar({}, shown(here.table));
        const auto port = port_of(sidecar, "/readyz");
        REQUIRE(eventually([&] { return ready(port); }));
        CHECK(support::http_get(port, "/startupz").status == 200);

        support::outage outage(support::server::rabbitmq, support::manner::kill);
        REQUIRE(eventually([&] { return !ready(port); }));
        const auto why = json::parse(support::http_get(port, "/readyz").body);
        CHECK(why["status"] == "failing");
        REQUIRE(why["reasons"].size() == 1);
        CHECK(contains(why["reasons"][0], "broker: "));
        CHECK(support::http_get(port, "/livez").status == 200);
        CHECK(value(port, "outbox_broker_connections_lost_total") == 1);
        outage.end();
        CHECK(eventually([&] { return ready(port); }));
        CHECK(value(port, "outbox_broker_connected") == 1);
    }

    TEST_CASE("without a database likewise, also while the process starts") {
        support::scene here;
        sidecar_process sidecar({}, shown(here.table));
        const auto port = port_of(sidecar, "/readyz");
        REQUIRE(eventually([&] { return ready(port); }));
        support::outage outage(support::server::mariadb, support::manner::stop);
        REQUIRE(eventually([&] { return !ready(port); }));
        CHECK(eventually([&] { return contains(support::http_get(port, "/readyz").body, "database, lanes: "); }));
        sidecar_process second({}, shown(here.table));
        const auto other = port_of(second, "/readyz");
        REQUIRE(eventually([&] { return support::http_get(other, "/startupz").status == 200; }));
        CHECK(!ready(other));
        for (const auto one : {port, other}) CHECK(support::http_get(one, "/livez").status == 200);
        CHECK(eventually([&] { return value(port, "outbox_database_errors_total{role=\"lanes\"}") >= 1; }));
        outage.end();
        CHECK(eventually([&] { return ready(port) && ready(other); }));
    }

    TEST_CASE("one that stands by is ready, holds no lane and leaves the counting to the other") {
        support::scene here;
        sidecar_process first({}, shown(here.table));
        const auto port = port_of(first, "/metrics");
        REQUIRE(eventually([&] { return value(port, "outbox_backlog_counted_timestamp_seconds") > 0; }));
        sidecar_process second({}, shown(here.table));
        const auto other = port_of(second, "/metrics");
        REQUIRE(second.says("standing_by"));
        CHECK(eventually([&] { return ready(other); }));
        CHECK(value(other, "outbox_lanes_held") == 0);
        CHECK(value(other, "outbox_database_connected{role=\"reader\"}") == 0);
        first.signal(SIGTERM);
        CHECK(first.wait() == 0);
        CHECK(eventually([&] { return value(other, "outbox_lanes_held") == 1; }));
        CHECK(eventually([&] { return value(other, "outbox_backlog_counted_timestamp_seconds") > 0; }));
    }

    TEST_CASE("a table that can't be used is a reason not to be ready") {
        support::scene here;
        here.server.execute(here.table.in("ALTER TABLE {} DROP COLUMN routing_key"));
        sidecar_process sidecar({}, shown(here.table));
        const auto port = port_of(sidecar, "/readyz");
        REQUIRE(eventually([&] { return contains(support::http_get(port, "/readyz").body, "routing_key"); }));
        CHECK(support::http_get(port, "/livez").status == 200);
    }

    TEST_CASE("health asks the probes and exits with 0, 69 or 78") {
        support::scene here;
        sidecar_process sidecar({}, shown(here.table));
        const auto at = "http://127.0.0.1:" + std::to_string(port_of(sidecar, "/livez"));
        REQUIRE(eventually([&] { return run_sidecar({"health", "--probe", "ready", "--url", at}, {}).code == 0; }));
        CHECK(contains(run_sidecar({"health", "--url", at}, {}).out, "ok"));
        CHECK(run_sidecar({"health", "--url", at + "/startupz"}, {}).code == 0);
        CHECK(run_sidecar({"health", "--url", at + "/nothing"}, {}).code == 69);
        CHECK(run_sidecar({"health", "--url", "ftp://127.0.0.1"}, {}).code == 78);
        CHECK(run_sidecar({"health", "--probe", "hope", "--url", at}, {}).code == 64);

        auto env = shown(here.table);
        env["OUTBOX_HTTP_PROBES"] = "0.0.0.0:" + at.substr(at.rfind(':') + 1);
        CHECK(run_sidecar({"health"}, env).code == 0);
        env["OUTBOX_HTTP_PROBES"] = "";
        const auto unset = run_sidecar({"health"}, env);
        CHECK(unset.code == 78);
        CHECK(contains(unset.err, "http.probes"));

        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        const auto silent = run_sidecar({"health", "--url", at}, {});
        CHECK(silent.code == 69);
        CHECK(contains(silent.err, "127.0.0.1"));
    }

    TEST_CASE("an address in use ends the start with one clear line") {
        support::scene here;
        sidecar_process first({}, shown(here.table));
        const auto address = "127.0.0.1:" + std::to_string(port_of(first, "/metrics"));
        auto env = shown(here.table);
        env["OUTBOX_HTTP_METRICS"] = address;
        const auto second = run_sidecar({}, env);
        CHECK(second.code == 69);
        CHECK(contains(second.err, "http.metrics: can't listen on " + address));
        env["OUTBOX_HTTP_METRICS"] = "192.0.2.1:9464";
        CHECK(run_sidecar({}, env).code == 78);
    }

    TEST_CASE("on SIGHUP the addresses change without a pause in relaying; one in use changes nothing") {
        support::scene here;
        const support::folder folder;
        const auto settings = support::settings_for(here.table);
        const auto write = [&](const std::string& metrics) {
            return folder.write("sidecar.yaml", "http:\n  probes: 127.0.0.1:0\n  metrics: \"" + metrics + "\"\n");
        };
        sidecar_process sidecar({"--config", write("127.0.0.1:0")}, settings);
        const auto port = port_of(sidecar, "/metrics");
        const auto probes = port_of(sidecar, "/livez");
        CHECK(port == probes);  // one address, one server
        REQUIRE(eventually([&] { return ready(probes); }));

        const sidecar_process other({}, shown(here.table));
        write("[::1]:0");
        sidecar.signal(SIGHUP);
        REQUIRE(sidecar.says(R"("event":"reloaded")"));
        CHECK(contains(sidecar.err(), "[::1]:"));
        CHECK_THROWS(support::http_get(port, "/metrics"));
        const auto moved = port_of(sidecar, "/livez");
        CHECK(ready(moved));
        CHECK(!contains(sidecar.err(), R"("event":"stopped")"));

        write("192.0.2.1:9464");
        sidecar.signal(SIGHUP);
        REQUIRE(sidecar.says(R"("event":"reload_refused")"));
        CHECK(ready(port_of(sidecar, "/livez")));
    }

    TEST_CASE("what InnoDB holds back is shown to an account that may see it") {
        support::scene here;
        auto settings = here.table.settings();
        CHECK_FALSE(outbox::make_store(settings, {})->count_up_to(10).oldest_transaction);
        const auto at = settings.url.find('@');
        settings.url = "mysql://root" + settings.url.substr(at);
        settings.password.value = support::variable("OUTBOX_TEST_MYSQL_ROOT_PASSWORD");
        here.server.execute("START TRANSACTION");
        here.server.execute(here.table.in("INSERT INTO {} (msg, exchange, routing_key) VALUES ('a', 'e', 'k')"));
        const auto store = outbox::make_store(settings, {});
        CHECK(store->count_up_to(10).history_length);
        CHECK(eventually([&] {
            const auto age = store->count_up_to(10).oldest_transaction;
            return age && *age >= std::chrono::seconds(2);
        }));
        here.server.execute("ROLLBACK");
    }
}
