// Several sidecar processes at one table.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using namespace std::chrono_literals;
using support::eventually;
using support::run_sidecar;
using support::sidecar_process;

namespace {

using clock = std::chrono::steady_clock;
using shares = std::map<std::string, std::size_t>;

long milliseconds_since(clock::time_point began) {
    return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - began).count());
}

constexpr auto unhurried = "60s";  // a lease whose end no test waits for

struct scene : support::scene {
    std::unique_ptr<sidecar_process> start(const std::string& name, unsigned lanes = 1, const char* lease = unhurried) {
        auto env = settings_for(table);
        env["OUTBOX_RELAY_INSTANCE"] = name;
        env["OUTBOX_RELAY_LANES"] = std::to_string(lanes);
        env["OUTBOX_RELAY_LEASE"] = lease;
        return std::make_unique<sidecar_process>(std::vector<std::string>{}, env);
    }

    /// How many lanes each has, by the names given to start().
    shares owners() {
        shares all;
        for (const auto& one : server.rows(table.in(
                 "SELECT SUBSTRING_INDEX(owner, '-', 1) FROM msg_lane WHERE table_name = '{}' AND lane >= 0 AND owner "
                 "<> '' AND expires > TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000")))
            ++all[one.front().value()];
        return all;
    }

    bool becomes(const shares& wanted) {
        return eventually([&] { return owners() == wanted; });
    }

    /// So many more rows are delivered.
    bool goes_on(std::size_t rows_more = 300) {
        const auto before = rows("status = 1");
        return eventually([&] { return rows("status = 1") >= before + rows_more; });
    }

    /// All have arrived; returns how many more there are than there should be.
    std::size_t duplicates(std::size_t total) {
        REQUIRE(reaches(1, total));
        const auto messages = rabbit.take_all(to.queue());
        CHECK(support::ids_of(messages).size() == total);
        return messages.size() - total;
    }
};

/// A schema of its own, without a table msg_lane.
struct other_schema {
    explicit other_schema(support::database& application) {
        root.execute("CREATE DATABASE " + name);
        root.execute(fmt::format("GRANT ALL ON {}.* TO {}", name,
                                 application.text("SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', "
                                                  "QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))")));
    }
    ~other_schema() { root.execute("DROP DATABASE " + name); }

    support::database root{support::database::account::root};
    const std::string name = support::unique_name("lanes");
};

int stopped(sidecar_process& one) {
    one.signal(SIGTERM);
    return one.wait();
}

}  // namespace

TEST_SUITE("lanes") {
    TEST_CASE("of two sidecars one relays; when it is stopped the other takes over at once, and nothing comes twice") {
        scene here;
        const auto a = here.start("a");
        REQUIRE(here.becomes({{"a", 1}}));
        const auto b = here.start("b");
        REQUIRE(b->says("standing_by"));
        support::burst burst(here.table, here.to.exchange());
        REQUIRE(here.goes_on());
        CHECK(here.owners() == shares{{"a", 1}});

        a->signal(SIGTERM);
        const auto told = clock::now();
        REQUIRE(here.becomes({{"b", 1}}));
        const auto took = milliseconds_since(told);
        MESSAGE("taken over after ", took, " ms");
        CHECK(took < 10'000);  // a sixth of the lease
        CHECK(a->wait() == 0);
        REQUIRE(here.goes_on());
        CHECK(here.duplicates(burst.stop()) == 0);
        CHECK(a->says("lane_released"));
        CHECK(stopped(*b) == 0);
    }

    TEST_CASE("a sidecar that is killed is replaced within two lease times, and nothing is lost") {
        scene here;
        auto a = here.start("a", 1, "2s");
        REQUIRE(here.becomes({{"a", 1}}));
        const auto b = here.start("b", 1, "2s");
        REQUIRE(b->says("standing_by"));
        support::burst burst(here.table, here.to.exchange());
        REQUIRE(here.goes_on());

        a->signal(SIGKILL);
        const auto killed = clock::now();
        REQUIRE(here.becomes({{"b", 1}}));
        const auto took = milliseconds_since(killed);
        MESSAGE("taken over after ", took, " ms");
        CHECK(took < 4'000);
        REQUIRE(here.goes_on());
        const auto total = burst.stop();
        CHECK(here.duplicates(total) <= 500);  // what was undelivered at once
    }

    TEST_CASE("who comes and who goes: the lanes are shared evenly again, under load, and nothing comes twice") {
        scene here;
        const auto a = here.start("a", 6);
        REQUIRE(here.becomes({{"a", 6}}));
        support::burst burst(here.table, here.to.exchange());
        const auto b = here.start("b", 6), c = here.start("c", 6);
        const auto began = clock::now();
        REQUIRE(here.becomes({{"a", 2}, {"b", 2}, {"c", 2}}));
        MESSAGE("2/2/2 after ", milliseconds_since(began), " ms");
        REQUIRE(here.goes_on());
        CHECK(stopped(*c) == 0);
        REQUIRE(here.becomes({{"a", 3}, {"b", 3}}));
        REQUIRE(here.goes_on());
        const auto d = here.start("d", 6);
        REQUIRE(here.becomes({{"a", 2}, {"b", 2}, {"d", 2}}));
        REQUIRE(here.goes_on());
        CHECK(stopped(*a) == 0);
        REQUIRE(here.becomes({{"b", 3}, {"d", 3}}));
        REQUIRE(here.goes_on());
        CHECK(here.duplicates(burst.stop()) == 0);
        CHECK(stopped(*b) == 0);
        CHECK(stopped(*d) == 0);
        CHECK(here.owners().empty());
        for (const auto* one : {&a, &b, &c, &d}) CHECK((*one)->err().find("lane_lost") == std::string::npos);
    }

    TEST_CASE("a sidecar that was frozen past its lease sends nothing more and says so; nothing is lost") {
        scene here;
        const auto a = here.start("a", 1, "2s");
        REQUIRE(here.becomes({{"a", 1}}));
        const auto b = here.start("b", 1, "2s");
        REQUIRE(b->says("standing_by"));
        support::burst burst(here.table, here.to.exchange());
        REQUIRE(here.goes_on());

        a->signal(SIGSTOP);
        REQUIRE(here.becomes({{"b", 1}}));
        REQUIRE(here.goes_on());
        a->signal(SIGCONT);
        CHECK(a->says("lane_lost"));
        CHECK(a->says("standing_by"));
        REQUIRE(here.goes_on());
        CHECK(here.owners() == shares{{"b", 1}});
        CHECK(here.duplicates(burst.stop()) <= 500);  // in flight when it froze
        CHECK(stopped(*b) == 0);
        REQUIRE(here.becomes({{"a", 1}}));
        CHECK(stopped(*a) == 0);
    }

    TEST_CASE("a rolling restart changes the number of lanes: the old ones relay until the last has gone") {
        scene here;
        const auto a = here.start("a", 2), b = here.start("b", 2);
        REQUIRE(here.becomes({{"a", 1}, {"b", 1}}));
        support::burst burst(here.table, here.to.exchange());
        REQUIRE(here.goes_on());
        const auto c = here.start("c", 4);
        CHECK(c->says("lanes_waiting"));
        CHECK(stopped(*a) == 0);
        REQUIRE(here.becomes({{"b", 2}}));
        const auto d = here.start("d", 4);
        CHECK(d->says("lanes_waiting"));
        REQUIRE(here.goes_on());
        CHECK(here.owners() == shares{{"b", 2}});
        CHECK(stopped(*b) == 0);
        REQUIRE(here.becomes({{"c", 2}, {"d", 2}}));
        REQUIRE(here.goes_on());
        CHECK(here.duplicates(burst.stop()) == 0);
        CHECK(stopped(*c) == 0);
        CHECK(stopped(*d) == 0);
    }

    TEST_CASE("a standby has one connection to the database and asks it about one question a second") {
        scene here;
        support::database root(support::database::account::root);
        const auto connections = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'outbox'";
        const auto before = root.number(connections);
        // Somebody has the lane who asks nothing, so that all questions are the standby's.
        here.server.execute(here.table.in(
            "INSERT INTO msg_lane (table_name, lane, lanes, owner, epoch, expires) VALUES ('{}', 0, 1, 'somebody', 1, "
            "9000000000000)"));
        const auto standby = here.start("b");
        REQUIRE(standby->says("standing_by"));
        const auto questions = [&] {
            return std::stoll(root.rows("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1].value());
        };
        const auto asked = questions();
        CHECK(support::holds_for(5s, [&] { return standby->err().find("lane_taken") == std::string::npos; }));
        const auto in_five_seconds = questions() - asked - 1;  // ours
        MESSAGE(in_five_seconds, " questions in 5 s");
        CHECK(in_five_seconds >= 3);
        CHECK(in_five_seconds <= 8);
        CHECK(root.number(connections) == before + 1);
        CHECK(stopped(*standby) == 0);
    }

    TEST_CASE("a table without leases is relayed, with a warning; once migrated, the same sidecar takes its lanes") {
        scene here;
        const other_schema schema(here.server);
        const auto table = schema.name + "." + here.table.name();
        here.server.execute(fmt::format("CREATE TABLE {} LIKE {}", table, here.table.name()));
        auto env = settings_for(here.table);
        env["OUTBOX_DATABASE_TABLE"] = table;
        sidecar_process one({}, env);
        CHECK(one.says("lanes_unprotected"));
        const auto insert = fmt::format("INSERT INTO {} (msg, exchange, routing_key) VALUES ('', '{}', 'key')", table,
                                        here.to.exchange());
        here.server.execute(insert);
        CHECK(eventually([&] { return here.rabbit.depth(here.to.queue()) == 1; }));
        CHECK(run_sidecar({"status"}, env).out.find("no table msg_lane") != std::string::npos);
        CHECK(run_sidecar({"migrate"}, env).code == 0);
        CHECK(one.says("lane_taken"));
        here.server.execute(insert);
        CHECK(eventually([&] { return here.rabbit.depth(here.to.queue()) == 2; }));
        CHECK(stopped(one) == 0);
    }

    TEST_CASE("status shows who relays which lane") {
        scene here;
        const auto none = run_sidecar({"status"}, settings_for(here.table));
        CHECK(none.out.find("No sidecar has run yet") != std::string::npos);
        const auto a = here.start("pod-a", 2);
        REQUIRE(a->says("lane_taken"));
        REQUIRE(here.becomes({{"pod", 2}}));
        const auto text = run_sidecar({"status"}, settings_for(here.table)).out;
        CHECK(text.find("lane 0 of 2") != std::string::npos);
        CHECK(text.find("pod-a-") != std::string::npos);
        const nlohmann::json all =
            nlohmann::json::parse(run_sidecar({"status", "--json"}, settings_for(here.table)).out);
        REQUIRE(all["lanes"].size() == 2);
        CHECK(all["lanes"][1]["lane"] == 1);
        CHECK(all["lanes"][1]["owner"].get<std::string>().starts_with("pod-a-"));
        CHECK(all["lanes"][1]["expires_in_ms"].get<int>() > 0);
        CHECK(stopped(*a) == 0);
        const nlohmann::json after =
            nlohmann::json::parse(run_sidecar({"status", "--json"}, settings_for(here.table)).out);
        CHECK(after["lanes"][1]["owner"].is_null());
    }
}
