// Order by key, as queues see it.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using namespace std::chrono_literals;
using support::eventually;
using support::holds_for;
using support::run_sidecar;
using support::sidecar_process;

namespace {

std::string text_of(const std::string& file) {
    std::ifstream in(file);
    REQUIRE(in);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string replaced(std::string text, std::string_view from, const std::string& to) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

struct scene : support::scene {
    scene() { server.execute(for_table(text_of(OUTBOX_SCHEMA "/mysql/optional/ordered.sql"))); }

    std::string for_table(const std::string& sql) const { return replaced(sql, "msg_log", table.name()); }

    /// A statement of the README: the one under the comment that begins so, for this table and row.
    std::string documented(const std::string& comment, const std::string& id = {}) const {
        const auto text = text_of(OUTBOX_SOURCE_FOLDER "/README.md");
        auto at = text.find("-- " + comment);
        REQUIRE(at != text.npos);
        at = text.find('\n', at);
        return replaced(for_table(text.substr(at, text.find(';', at) - at)), "…", id);
    }

    /// Rows KEY1, KEY2 …, each in a transaction of its own, to the scene's queue.
    void put(const std::string& key, std::size_t count, std::size_t first = 1) {
        for (auto i = first; i < first + count; ++i)
            server.execute(
                fmt::format("INSERT INTO {} (id, msg, exchange, routing_key, order_key) VALUES ('{}{:06}', "
                            "'{{}}', '{}', 'key', '{}')",
                            table.name(), key, i, to.exchange(), key));
    }

    /// One that no queue wants, until wanted().
    void put_unwanted(const std::string& key) {
        server.execute(
            fmt::format("INSERT INTO {} (id, msg, exchange, routing_key, order_key) VALUES ('{}000000', "
                        "'{{}}', 'amq.topic', '{}', '{}')",
                        table.name(), key, to.exchange(), key));
    }
    void wanted() { rabbit.bind(to.queue(), "amq.topic", to.exchange()); }

    conf::settings settings(conf::on_failed on_failed = conf::on_failed::skip) const {
        auto all = support::quick_settings(table);
        all.relay.ordered = true;
        all.relay.on_failed = on_failed;
        all.retry.initial = 200ms;
        return all;
    }

    support::variables environment(const char* on_failed = "skip") {
        auto env = settings_for(table);
        env["OUTBOX_RELAY_ORDERED"] = "true";
        env["OUTBOX_RELAY_ON_FAILED"] = on_failed;
        env["OUTBOX_RELAY_LEASE"] = "1s";
        return env;
    }

    /// The first copies of each key's messages, as they came out of the queue.
    std::map<char, std::vector<std::string>> arrived() {
        std::map<char, std::vector<std::string>> keys;
        std::set<std::string> seen;
        for (const auto& one : rabbit.take_all(to.queue())) {
            if (seen.insert(one.id).second) keys[one.id.front()].push_back(one.id);
        }
        return keys;
    }
};

std::vector<std::string> range(char key, std::size_t first, std::size_t last) {
    std::vector<std::string> ids;
    for (auto i = first; i <= last; ++i) ids.push_back(fmt::format("{}{:06}", key, i));
    return ids;
}

}  // namespace

TEST_SUITE("order") {
    TEST_CASE("a message that waits for its retry holds up its key, and only its key") {
        scene here;
        here.put_unwanted("a");
        here.put("a", 3);
        here.put("b", 3);
        support::insert(here.server, here.table, 2, here.to.exchange());
        auto settings = here.settings();
        settings.retry.max_retries = 10'000;
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("id = 'a000000' AND try_count >= 2") == 1; }));
        REQUIRE(here.reaches(1, 5));
        CHECK(here.rows("status = 0 AND order_key = 'a'") == 4);
        here.wanted();
        REQUIRE(here.reaches(1, 9));
        auto keys = here.arrived();
        CHECK(keys['a'] == range('a', 0, 3));
        CHECK(keys['b'] == range('b', 1, 3));
        CHECK(here.rows("order_key = 'a' AND id <> 'a000000' AND try_count > 0") == 0);
    }

    TEST_CASE("a message that is to be sent later holds up its key until then") {
        scene here;
        here.put("a", 3);
        here.server.execute(here.table.in("UPDATE {} SET next_try_time = next_try_time + 3000 WHERE id = 'a000001'"));
        const support::relaying relay(here.settings());
        CHECK(holds_for(1s, [&] { return here.rows("status = 1") == 0; }));
        REQUIRE(here.reaches(1, 3));
        CHECK(here.arrived()['a'] == range('a', 1, 3));
    }

    TEST_CASE("on_failed: skip lets the key go on when its first message has failed for good") {
        scene here;
        here.put_unwanted("a");
        here.put("a", 3);
        auto settings = here.settings();
        settings.retry.max_retries = 1;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(1, 3));
        CHECK(support::state_of(here.server, here.table, "a000000") == support::row_state{2, 2});
        CHECK(here.arrived()['a'] == range('a', 1, 3));
    }

    TEST_CASE("on_failed: block holds the key until the failed message is retried, which then goes first") {
        scene here;
        here.put_unwanted("a");
        here.put("a", 3);
        here.put("b", 3);
        auto settings = here.settings(conf::on_failed::block);
        settings.retry.max_retries = 1;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(2, 1));
        REQUIRE(here.reaches(1, 3));
        CHECK(holds_for(2s, [&] { return here.rows("status = 0") == 3; }));

        const auto env = here.environment("block");
        const auto status = nlohmann::json::parse(run_sidecar({"--json", "status"}, env).out);
        CHECK(status["blocked_keys"] == nlohmann::json{{"count", 1}, {"complete", true}});
        CHECK(run_sidecar({"status"}, env).out.find("1  keys blocked") != std::string::npos);
        const auto found = here.server.rows(here.documented("Which keys wait"));
        REQUIRE(found.size() == 1);
        CHECK(found[0][0] == "a");
        CHECK(found[0][1] == "a000000");

        here.wanted();
        CHECK(run_sidecar({"retry", "a000000"}, env).code == 0);
        REQUIRE(here.reaches(1, 7));
        CHECK(here.arrived()['a'] == range('a', 0, 3));
        CHECK(here.server.rows(here.documented("Which keys wait")).empty());
    }

    TEST_CASE("a blocked key is freed by SQL, as the README says") {
        for (const char* way : {"Let the key go on", "… or for good"}) {
            scene here;
            here.put_unwanted("a");
            here.put("a", 3);
            auto settings = here.settings(conf::on_failed::block);
            settings.retry.max_retries = 0;
            const support::relaying relay(settings);
            REQUIRE(here.reaches(2, 1));
            CHECK(here.server.execute(here.documented(way, "a000000")) == 1);
            REQUIRE(here.reaches(1, 3));
            CHECK(here.arrived()['a'] == range('a', 1, 3));
        }
    }

    TEST_CASE("kill -9 in the midst of hot keys, again and again: of each key the first copies come in order") {
        constexpr std::size_t each = 1'500;
        scene here;
        const auto env = here.environment();
        auto one = std::make_unique<sidecar_process>(std::vector<std::string>{}, env);
        here.server.execute("START TRANSACTION");
        for (const char* key : {"a", "b", "c"}) here.put(key, each);
        here.server.execute("COMMIT");
        for (const std::size_t at : {200, 900, 2'000, 3'000}) {
            REQUIRE(eventually([&] { return here.rows("status = 1") >= at; }));
            one->signal(SIGKILL);
            one->wait();
            one = std::make_unique<sidecar_process>(std::vector<std::string>{}, env);
        }
        REQUIRE(here.reaches(1, 3 * each));
        one->signal(SIGTERM);
        CHECK(one->wait() == 0);
        auto keys = here.arrived();
        for (const char key : {'a', 'b', 'c'}) CHECK(keys[key] == range(key, 1, each));
    }

    TEST_CASE("after_delivery: delete keeps the order, too, and so do lanes") {
        scene here;
        auto settings = here.settings();
        settings.relay.after_delivery = conf::after_delivery::remove;
        settings.relay.lanes = 3;
        const support::relaying relay(settings);
        for (const char* key : {"a", "b", "c", "d", "e"}) here.put(key, 50);
        REQUIRE(eventually([&] { return here.rows("TRUE") == 0; }));
        auto keys = here.arrived();
        for (const char key : {'a', 'b', 'c', 'd', 'e'}) CHECK(keys[key] == range(key, 1, 50));
    }

    TEST_CASE("one hot key, and as many messages of keys of their own: how fast") {
        constexpr std::size_t many = 3'000;
        for (const bool hot : {true, false}) {
            scene here;
            here.rabbit.delete_queue(here.to.queue());
            here.rabbit.declare_queue(here.to.queue(), {{"x-queue-type", "quorum"}});
            here.rabbit.bind(here.to.queue(), here.to.exchange(), "#");
            here.server.execute("START TRANSACTION");
            here.put("a", many);
            if (!hot) here.server.execute(here.table.in("UPDATE {} SET order_key = id"));
            here.server.execute("COMMIT");
            const auto began = std::chrono::steady_clock::now();
            auto settings = here.settings();
            settings.relay.poll_max = conf::relay{}.poll_max;
            const support::relaying relay(settings);
            REQUIRE(here.reaches(1, many));
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
            MESSAGE(std::string(hot ? "one key: " : "a key each: "), static_cast<double>(many) / took.count(),
                    " messages/s");
            if (hot) CHECK(here.arrived()['a'] == range('a', 1, many));
        }
    }

    TEST_CASE("without the index a start is refused in one line that names the file, and doctor says so") {
        support::scene here;
        auto env = settings_for(here.table);
        env["OUTBOX_RELAY_ORDERED"] = "true";
        const auto refused = run_sidecar({"run"}, env);
        CHECK(refused.code == 78);
        CHECK(refused.err == fmt::format("database: table `{}` has no index on (order_key, status, create_time, id), "
                                         "which relay.ordered needs: apply schema/mysql/optional/ordered.sql\n",
                                         here.table.name()));
        const auto doctor = run_sidecar({"doctor"}, env);
        CHECK(doctor.code == 1);
        CHECK(doctor.out.find("schema/mysql/optional/ordered.sql") != std::string::npos);
    }

    TEST_CASE("a reload that asks for order without the index is refused, and the relay goes on as before") {
        support::scene here;
        const support::folder folder;
        const auto config = folder.write("sidecar.yaml", "relay: {ordered: false}\n");
        sidecar_process one({"--config", config}, settings_for(here.table));
        support::insert(here.server, here.table, 5, here.to.exchange(), "key", "before");
        REQUIRE(here.reaches(1, 5));
        folder.write("sidecar.yaml", "relay: {ordered: true}\n");
        one.signal(SIGHUP);
        REQUIRE(one.says("schema/mysql/optional/ordered.sql"));
        CHECK(one.says("reload_refused"));
        support::insert(here.server, here.table, 5, here.to.exchange(), "key", "after");
        REQUIRE(here.reaches(1, 10));
        one.signal(SIGTERM);
        CHECK(one.wait() == 0);
    }

    TEST_CASE("an index that is dropped under the relay stops it, without harm, until it is there again") {
        scene here;
        const support::relaying relay(here.settings());
        here.put("a", 2);
        REQUIRE(here.reaches(1, 2));
        here.server.execute(here.table.in("ALTER TABLE {} DROP KEY ") + here.table.name() + "_ordered");
        here.put("a", 2, 3);
        REQUIRE(eventually([&] { return relay.seen().database_down_for("ordered.sql"); }));
        CHECK(here.rows("status = 1") == 2);
        here.server.execute(here.for_table(text_of(OUTBOX_SCHEMA "/mysql/optional/ordered.sql")));
        REQUIRE(here.reaches(1, 4));
        CHECK(here.arrived()['a'] == range('a', 1, 4));
    }
}
