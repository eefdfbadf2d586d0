// PostgreSQL as the relay's database: from the row to the queue, and through what can happen to the server.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "test/support/control.hpp"
#include "test/support/postgresql.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

namespace {

constexpr auto database_may_take = 90s;

struct postgresql_scene {
    support::postgresql_table table = support::postgresql_table::recommended();
    support::postgresql server;
    support::broker rabbit;
    support::route to{rabbit};

    /// With the ids m1, m2 …
    void insert(std::size_t count, const std::string& exchange) {
        server.execute(
            fmt::format("INSERT INTO {} (id, msg, exchange, routing_key) SELECT 'm' || i, 'body ' || i, '{}', "
                        "'key' FROM generate_series(1, {}) AS i",
                        table.name(), exchange, count));
    }
    conf::settings settings() const { return support::quick_settings(table.settings()); }

    std::size_t rows(const std::string& condition) { return count(server, condition); }
    /// Waits until so many rows are of this status; over connections of its own, as the server may be away.
    bool reaches(int status, std::size_t wanted) {
        return eventually(
            [&] {
                try {
                    support::postgresql again;
                    return count(again, fmt::format("status = {}", status)) == wanted;
                } catch (const std::runtime_error&) {
                    return false;
                }
            },
            database_may_take);
    }

    /// Every row was delivered without a try, and none was sent twice.
    void check_delivered_once(std::size_t many) {
        support::postgresql again;
        CHECK(count(again, "status = 1 AND try_count = 0") == many);
        const auto messages = rabbit.take_all(to.queue());
        CHECK(messages.size() == many);
        CHECK(support::ids_of(messages).size() == many);
    }

  private:
    std::size_t count(support::postgresql& by, const std::string& condition) const {
        return static_cast<std::size_t>(
            by.number(fmt::format("SELECT COUNT(*) FROM {} WHERE {}", table.name(), condition)));
    }
};

/// schema/postgresql/optional/notify.sql, for this table.
std::string notify_script(const std::string& table) {
    std::ifstream file(OUTBOX_SCHEMA "/postgresql/optional/notify.sql");
    std::string sql((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (auto at = sql.find("msg_log"); at != sql.npos; at = sql.find("msg_log", at + table.size()))
        sql.replace(at, 7, table);
    return sql;
}

}  // namespace

TEST_SUITE("PostgreSQL") {
    TEST_CASE("what was committed is delivered byte for byte, and what was rolled back is never seen") {
        postgresql_scene here;
        const support::relaying relay(here.settings());
        support::postgresql application;
        const auto insert = [&](const std::string& id) {
            application.execute(fmt::format(
                "INSERT INTO {} (id, msg, exchange, routing_key, headers, properties) VALUES ('{}', 'größer 漢 ''\\', "
                "'{}', 'key', '{{\"n\": 1}}', '{{\"priority\": 3}}')",
                here.table.name(), id, here.to.exchange()));
        };
        application.execute("BEGIN");
        insert("rolled back");
        application.execute("ROLLBACK");
        application.execute("BEGIN");
        insert("committed");
        CHECK(here.rows("TRUE") == 0);
        application.execute("COMMIT");
        REQUIRE(here.reaches(1, 1));
        const auto messages = here.rabbit.take_all(here.to.queue());
        REQUIRE(messages.size() == 1);
        CHECK(messages.front().id == "committed");
        CHECK(messages.front().body == "größer 漢 '\\");
        CHECK(messages.front().headers["n"] == 1);
        CHECK(messages.front().priority == 3);
        CHECK(here.rows("id = 'committed' AND try_count = 0 AND last_error IS NULL") == 1);
    }

    TEST_CASE("what no queue wants is tried again, and fails with the reason") {
        postgresql_scene here;
        here.insert(3, "");  // by the default exchange to a queue that is not there
        auto settings = here.settings();
        settings.retry.max_retries = 2;
        const support::relaying relay(settings);
        REQUIRE(here.reaches(2, 3));
        CHECK(here.rows("try_count = 3 AND last_error LIKE '%NO_ROUTE%'") == 3);
    }

    TEST_CASE("connections that an administrator ends in mid-burst are made again; nothing is lost or sent twice") {
        constexpr std::size_t many = 5'000;
        postgresql_scene here;
        here.insert(many, here.to.exchange());
        support::postgresql root(support::postgresql::account::root);
        support::relaying relay(here.settings());
        for (std::size_t round = 1; round <= 5; ++round) {
            REQUIRE(eventually([&] { return here.rows("status = 1") >= round * many / 10; }));
            root.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'outbox-sidecar%'");
        }
        REQUIRE(here.reaches(1, many));
        CHECK(relay.so_far().reader_down + relay.so_far().settler_down >= 1);
        relay.stop();
        here.check_delivered_once(many);
    }

    TEST_CASE("a server stopped or killed in mid-burst loses nothing, and nothing is sent twice") {
        for (const auto manner : {support::manner::stop, support::manner::kill}) {
            constexpr std::size_t many = 5'000;
            postgresql_scene here;
            here.insert(many, here.to.exchange());
            support::relaying relay(here.settings());
            REQUIRE(eventually([&] { return here.rows("status = 1") >= many / 10; }));
            support::outage(support::server::postgresql, manner).end();
            REQUIRE(here.reaches(1, many));
            relay.stop();
            here.check_delivered_once(many);
        }
    }

    TEST_CASE("a server turned read-only is waited for, and gets what was confirmed meanwhile") {
        struct read_only {
            explicit read_only(support::postgresql& server) : root(server) {
                root.execute("SET default_transaction_read_only = off");
                change("SET default_transaction_read_only = on");
                // Who connects now sees it when all others have been told.
                REQUIRE(eventually([] { return support::postgresql().text("SHOW transaction_read_only") == "on"; }));
            }
            ~read_only() { change("RESET default_transaction_read_only"); }
            void change(const std::string& how) const {
                root.execute("ALTER SYSTEM " + how);
                root.execute("SELECT pg_reload_conf()");
            }
            support::postgresql& root;
        };
        constexpr std::size_t many = 200;
        postgresql_scene here;
        support::postgresql root(support::postgresql::account::root);
        support::relaying relay(here.settings());
        here.server.execute(
            here.table.in("INSERT INTO {} (id, msg, exchange) VALUES ('first', '', '" + here.to.exchange() + "')"));
        REQUIRE(here.reaches(1, 1));
        {
            support::paused_broker pause;
            here.insert(many, here.to.exchange());
            REQUIRE(eventually([&] {
                return root.number("SELECT SUM(idx_tup_fetch) FROM pg_stat_user_tables WHERE relname = '" +
                                   here.table.name() + "'") >= static_cast<std::int64_t>(many);
            }));
            const read_only now(root);
            pause.end();
            REQUIRE(eventually([&] { return relay.so_far().settler_down >= 1; }));
            CHECK(relay.seen().database_down_for("read-only"));
            CHECK(here.rows("status = 0 AND try_count = 0") == many);
        }
        REQUIRE(here.reaches(1, many + 1));
        relay.stop();
        CHECK(relay.so_far().database_errors == 0);
        here.check_delivered_once(many + 1);
    }

    TEST_CASE("doctor looks for what notifies, when it is wanted") {
        postgresql_scene here;
        auto settings = here.settings().database;
        const auto found = [&] {
            for (const auto& one : outbox::make_store(settings, {})->examine()) {
                if (one.subject == "database.notify")
                    return one.level == outbox::finding::grade::good ? "ok" : "advice";
            }
            return "nothing";
        };
        CHECK(std::string(found()) == "nothing");
        settings.notify = true;
        CHECK(std::string(found()) == "advice");
        here.server.execute(notify_script(here.table.name()));
        CHECK(std::string(found()) == "ok");
        here.server.execute(here.table.in("ALTER TABLE {} DISABLE TRIGGER ALL"));
        CHECK(std::string(found()) == "advice");
    }

    TEST_CASE("with notifications a row is sent at once, however rare the polls, and without them by the next poll") {
        postgresql_scene here;
        here.server.execute(notify_script(here.table.name()));
        auto settings = here.settings();
        settings.database.notify = true;
        settings.relay.poll_min = settings.relay.poll_max = 10s;
        const support::relaying relay(settings);
        const auto insert = [&](const std::string& id) {
            here.server.execute(fmt::format("INSERT INTO {} (id, msg, exchange) VALUES ('{}', '', '{}')",
                                            here.table.name(), id, here.to.exchange()));
            return std::chrono::steady_clock::now();
        };
        const auto delivered = [&](const std::string& id) {
            return eventually([&] { return here.rows("status = 1 AND id = '" + id + "'") == 1; });
        };
        insert("first");  // its delivery says that all are connected
        REQUIRE(delivered("first"));
        for (const std::string id : {"second", "third"}) {
            const auto began = insert(id);
            REQUIRE(delivered(id));
            CHECK(std::chrono::steady_clock::now() - began < 1s);
        }

        support::postgresql root(support::postgresql::account::root);
        const std::string listener = "application_name = 'outbox-sidecar listener'";
        here.server.execute(here.table.in("ALTER TABLE {} DISABLE TRIGGER ALL"));
        root.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + listener);
        insert("by polling");
        CHECK(delivered("by polling"));

        here.server.execute(here.table.in("ALTER TABLE {} ENABLE TRIGGER ALL"));
        REQUIRE(
            eventually([&] { return root.number("SELECT COUNT(*) FROM pg_stat_activity WHERE " + listener) == 1; }));
        REQUIRE(eventually([&] { return relay.seen().database_down_for("closed"); }));
        const auto began = insert("again");
        REQUIRE(delivered("again"));
        CHECK(std::chrono::steady_clock::now() - began < 5s);
    }

    TEST_CASE("a row that somebody has locked holds up no other, and is recorded when it is free") {
        constexpr std::size_t many = 200;
        postgresql_scene here;
        here.insert(many, here.to.exchange());
        support::postgresql other;
        other.execute("BEGIN");
        other.execute(here.table.in("SELECT id FROM {} WHERE id = 'm100' FOR UPDATE"));
        support::relaying relay(here.settings());
        REQUIRE(here.reaches(1, many - 1));
        CHECK(here.rows("id = 'm100' AND status = 0 AND try_count = 0") == 1);
        other.execute("ROLLBACK");
        REQUIRE(here.reaches(1, many));
        relay.stop();
        here.check_delivered_once(many);
    }
}
