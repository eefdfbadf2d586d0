// The store on PostgreSQL, where no other database has the like: silent servers, TLS, encodings, types, collations.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>

#include "conf/url.hpp"
#include "outbox/store.hpp"
#include "test/support/database.hpp"
#include "test/support/environment.hpp"
#include "test/support/postgresql.hpp"

using namespace std::chrono_literals;
using outbox::settlement;

namespace {

using postgresql = support::postgresql;
using table = support::postgresql_table;

std::string insert_of(const table& into, const std::string& id, const std::string& msg) {
    return fmt::format(
        "INSERT INTO {} (id, msg, exchange, routing_key, status, try_count, next_try_time) VALUES ('{}', "
        "{}, 'x', 'k', 0, 0, 1)",
        into.name(), id, msg);
}

std::vector<std::string> ids_of(const outbox::page& page) {
    std::vector<std::string> ids;
    for (const auto& row : page.rows) ids.push_back(row.id);
    return ids;
}

std::vector<outbox::finding> complaints_of(const conf::database& settings) {
    auto all = outbox::make_store(settings, {})->examine();
    std::erase_if(all, [](const auto& one) { return one.level == outbox::finding::grade::good; });
    return all;
}

std::string subjects_of(const std::vector<outbox::finding>& findings) {
    std::string all;
    for (const auto& one : findings) all += (all.empty() ? "" : ", ") + one.subject;
    return all;
}

/// The server's process for a connection, stopped: it is there, and says nothing.
class silenced {
  public:
    explicit silenced(const std::string& application)
        : pid_(static_cast<pid_t>(
              postgresql(postgresql::account::root)
                  .number(
                      fmt::format("SELECT pid FROM pg_stat_activity WHERE application_name = '{}'", application)))) {
        REQUIRE(kill(pid_, SIGSTOP) == 0);
    }
    ~silenced() { kill(pid_, SIGCONT); }
    silenced(const silenced&) = delete;
    silenced& operator=(const silenced&) = delete;

  private:
    pid_t pid_;
};

}  // namespace

TEST_SUITE("the store on PostgreSQL") {
    TEST_CASE("a server that falls silent is given up after the query timeout") {
        const auto on = table::recommended();
        auto settings = on.settings();
        settings.query_timeout = 1s;
        const auto store = outbox::make_store(settings, {.role = "to be silenced"});
        store->due({}, 1);
        const auto began = std::chrono::steady_clock::now();
        {
            const silenced now("outbox-sidecar to be silenced");
            CHECK_THROWS_WITH_AS(store->due({}, 1), "no answer within 1000 ms", outbox::store_unavailable);
        }
        CHECK(std::chrono::steady_clock::now() - began < 10s);
        CHECK_NOTHROW(store->due({}, 1));
    }

    TEST_CASE("with TLS required the server must be who it says it is") {
        const auto on = table::recommended();
        const auto with = [&](const std::string& host, const std::string& ca, bool verify) {
            auto settings = on.settings();
            const auto url = conf::parse_url(settings.url);
            settings.url =
                fmt::format("postgres://{}:{}@{}:{}{}", url.user, url.password.value_or(""), host, url.port, url.path);
            settings.tls_use = conf::tls_mode::required;
            settings.tls.ca_file = support::tls_file(ca);
            settings.tls.verify = verify;
            return outbox::make_store(settings, {.role = "with TLS"});
        };
        const auto encrypted = [] {
            return postgresql(postgresql::account::root)
                .text(
                    "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = "
                    "'outbox-sidecar with TLS'");
        };
        {
            const auto store = with("localhost", "ca.pem", true);
            store->due({}, 1);
            CHECK(encrypted() == "t");
        }
        CHECK_THROWS_AS(with("localhost", "other-ca.pem", true)->due({}, 1), outbox::store_unavailable);
        CHECK_THROWS_AS(with("localhost", "not-there.pem", true)->due({}, 1), outbox::store_unavailable);
        const auto store = with("localhost", "other-ca.pem", false);
        store->due({}, 1);
        CHECK(encrypted() == "t");
    }

    TEST_CASE("any password is a password") {
        const std::string password = "a  b'c\\d\"e=f&g%41 h@:/?#[]ü singlerows=true ";
        const auto role = support::unique_name("role");
        postgresql root(postgresql::account::root);
        root.execute(fmt::format("CREATE ROLE {} LOGIN PASSWORD {}", role,
                                 root.text("SELECT quote_literal(" + support::postgresql_text(password) + ")")));
        auto settings = table::recommended().settings();
        const auto url = conf::parse_url(settings.url);
        settings.url = fmt::format("postgresql://{}@{}:{}{}", role, url.host, url.port, url.path);
        settings.password.value = password;
        CHECK_NOTHROW(outbox::make_store(settings, {})->has_leases());
        settings.password.value += 'x';
        CHECK_THROWS_AS(outbox::make_store(settings, {})->has_leases(), outbox::store_unavailable);
        root.execute("DROP ROLE " + role);
    }

    TEST_CASE("options in the url are refused, as they would be left unread") {
        auto settings = table::recommended().settings();
        settings.url += "?sslmode=require";
        CHECK_THROWS_AS(outbox::make_store(settings, {}), std::invalid_argument);
    }

    TEST_CASE("the recommended table is found to be in order, and what a plain one lacks is named") {
        const auto recommended = table::recommended();
        CHECK(subjects_of(complaints_of(recommended.settings())) == "");

        const auto plain = table::of(
            "CREATE TABLE {} (id varchar(255) COLLATE \"en-x-icu\" PRIMARY KEY, msg bytea, exchange text, routing_key "
            "text, status int, try_count int, next_try_time bigint, create_time bigint, update_time bigint)");
        const auto found = complaints_of(plain.settings());
        CHECK(subjects_of(found) ==
              "collation of id, optional columns, index for due rows, index for purging, rows, plan for reading due "
              "rows, plan for purging");
        postgresql server;
        for (const auto& one : found) {
            if (one.advice.find('\n') != one.advice.npos) server.execute(one.advice.substr(one.advice.find('\n') + 1));
        }
        CHECK(subjects_of(complaints_of(plain.settings())) == "");
    }

    TEST_CASE("an account without rights is told which it lacks") {
        const auto on = table::recommended();
        postgresql root(postgresql::account::root);
        root.execute("ALTER TABLE " + on.name() + " OWNER TO root");
        root.execute("GRANT SELECT ON " + on.name() + " TO outbox");
        const auto found = complaints_of(on.settings());
        root.execute("ALTER TABLE " + on.name() + " OWNER TO outbox");
        REQUIRE(subjects_of(found) == "rights");
        CHECK(found.front().found == "outbox may not UPDATE, DELETE");
    }

    TEST_CASE("ids of type uuid, and any collation of ids, are paged, settled and receipted") {
        for (const std::string type : {"uuid", "varchar(255) COLLATE \"en-x-icu\"", "char(36)", "text"}) {
            CAPTURE(type);
            const auto on =
                table::of("CREATE TABLE {} (id " + type +
                          " PRIMARY KEY, msg text, exchange text, routing_key text, status int, try_count "
                          "int, next_try_time bigint, create_time bigint, update_time bigint, order_key text)");
            postgresql server;
            std::vector<std::string> ids;
            for (const char digit : {'0', '5', 'a', 'f'})
                ids.push_back(fmt::format("{0}0000000-0000-4000-8000-00000000000{0}", digit));
            for (const auto& id : ids) server.execute(insert_of(on, id, "'body'"));
            const auto store = outbox::make_store(on.settings(), {});
            std::vector<std::string> seen;
            for (outbox::position at;;) {
                const auto page = store->due(at, 1, {.lanes = 3, .held = {0, 1, 2}});
                for (const auto& id : ids_of(page)) seen.push_back(id);
                if (page.complete) break;
                at = page.next;
            }
            CHECK(seen == ids);
            using kind = settlement::kind;
            const std::array batch{settlement{ids[0], kind::delivered, 0, {}, {}},
                                   settlement{ids[1], kind::retry, 1, {}, {}},
                                   settlement{ids[2], kind::failed, 1, {}, {}}};
            CHECK(store->settle(batch) == 3);
            CHECK(server.text(on.in("SELECT string_agg(status::text, ' ' ORDER BY id) FROM {}")) == "1 0 2 0");
            const std::vector<std::string> receipts{ids[0], "not a uuid", ids[1],
                                                    "90000000-0000-4000-8000-000000000009"};
            auto taken = store->take_receipts(receipts);
            std::sort(taken.unknown.begin(), taken.unknown.end());
            CHECK(taken.changed == 2);
            CHECK(taken.unknown == std::vector{receipts[3], receipts[1]});
            CHECK(server.text(on.in("SELECT string_agg(status::text, ' ' ORDER BY id) FROM {}")) == "3 3 2 0");
        }
    }

    TEST_CASE("in a database of another encoding texts are sent as UTF-8, and reasons are recorded as far as they go") {
        postgresql root(postgresql::account::root);
        root.execute("DROP DATABASE IF EXISTS latin WITH (FORCE)");
        root.execute(
            "CREATE DATABASE latin OWNER outbox TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        {
            conf::database settings;
            settings.url = support::postgresql_url();
            settings.url.replace(settings.url.rfind('/'), settings.url.npos, "/latin");
            const auto store = outbox::make_store(settings, {});
            store->migrate();
            postgresql server(postgresql::account::application, "latin");
            server.execute("SET client_encoding = 'UTF8'");
            server.execute("INSERT INTO msg_log (id, msg, order_key) VALUES ('é', 'größer', 'ß')");
            const auto page = store->due({}, 10);
            REQUIRE(ids_of(page) == std::vector<std::string>{"é"});
            CHECK(page.rows.front().body == "größer");
            CHECK(page.rows.front().body_size == 8);
            CHECK(page.rows.front().order_key == "ß");
            const std::array failed{settlement{"é", settlement::kind::failed, 1, {}, "no 漢"}};
            CHECK(store->settle(failed) == 1);
            CHECK(server.text("SELECT last_error FROM msg_log") == "no ?");
            CHECK(subjects_of(store->examine()).find("encoding") != std::string::npos);
        }
        root.execute("DROP DATABASE latin WITH (FORCE)");
    }
}
