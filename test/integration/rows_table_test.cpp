// The tables that the relay works on as they are.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "test/integration/rows.hpp"

using rows::put;

namespace {

// One row that is delivered and one that fails: all that the relay writes.
void delivers_and_fails(support::scene& here, const rows::columns& others = {}) {
    put(here, "good", others);
    auto bad = others;
    bad["exchange"] = "'no.such.exchange'";
    put(here, "bad", bad);
    const auto messages = rows::relayed(here, 1, [](conf::settings& s) { s.retry.max_retries = 1; });
    REQUIRE(messages.size() == 1);
    CHECK(messages.front().id == "good");
    auto settings = support::quick_settings(here.table);
    settings.retry.max_retries = 1;
    const support::relaying relay(settings);
    REQUIRE(here.reaches(2, 1));
    CHECK(support::state_of(here.server, here.table, "good") == support::row_state{1, 0});
    CHECK(support::state_of(here.server, here.table, "bad") == support::row_state{2, 2});
    CHECK(here.rows("id = 'good' AND update_time > 0") == 1);
    CHECK_MESSAGE(relay.so_far().database_errors == 0, relay.seen().all());
}

}  // namespace

TEST_SUITE("rows") {
    TEST_CASE("the table of the tutorials works unchanged") {
        support::scene here(support::table::classic());
        const auto before = here.server.text(here.table.in("SHOW CREATE TABLE {}"));
        delivers_and_fails(here);
        CHECK(here.server.text(here.table.in("SHOW CREATE TABLE {}")) == before);
    }

    TEST_CASE("a thousand rows of the tutorials' table arrive once each, whatever their times") {
        support::scene here(support::table::classic());
        std::string sql = here.table.in("INSERT INTO {} (id, msg, exchange, routing_key, next_try_time) VALUES ");
        for (int i = 0; i < 1'000; ++i)
            sql += fmt::format("{}('r{}', '{{}}', '{}', 'key', {})", i == 0 ? "" : ",", i, here.to.exchange(),
                               i % 3 == 0 ? "NULL" : std::to_string(i % 3));
        here.server.execute(sql);
        const auto messages = rows::relayed(here, 1'000, [](conf::settings& s) { s.relay.page_rows = 70; });
        CHECK(messages.size() == 1'000);
        CHECK(support::ids_of(messages).size() == 1'000);
    }

    TEST_CASE("three columns are a whole message") {
        support::scene here;
        here.server.execute(here.table.in("INSERT INTO {} (msg, exchange, routing_key) VALUES ('{\"a\": 1}', '" +
                                          here.to.exchange() + "', 'orders.created')"));
        const auto message = rows::only(here);
        CHECK(message.body == "{\"a\": 1}");
        CHECK(message.routing_key == "orders.created");
        CHECK(message.id == here.server.text(here.table.in("SELECT id FROM {}")));
        CHECK(message.id.size() == 36);
    }

    TEST_CASE("columns of any type of the same family will do") {
        struct variant {
            const char* name;
            const char* id = "varchar(255)";
            const char* msg = "text";
            const char* name_type = "varchar(255) NOT NULL";
            const char* status = "int NOT NULL DEFAULT 0";
            const char* tries = "int NOT NULL DEFAULT 0";
            const char* time = "bigint";
        };
        for (const auto& v : {variant{.name = "narrow",
                             .id = "varchar(40)",
                             .msg = "varchar(2000)",
                             .name_type = "varchar(60) NOT NULL",
                             .status = "tinyint NOT NULL DEFAULT 0",
                             .tries = "tinyint NOT NULL DEFAULT 0"},
                              variant{.name = "wide",
                              .msg = "longtext",
                              .status = "bigint NOT NULL DEFAULT 0",
                              .tries = "bigint NOT NULL DEFAULT 0"},
                              variant{.name = "unsigned",
                              .msg = "mediumtext",
                              .status = "tinyint unsigned NOT NULL DEFAULT 0",
                              .tries = "smallint unsigned NOT NULL DEFAULT 0",
                              .time = "bigint unsigned"},
                              variant{.name = "bytes", .msg = "longblob"},
                              variant{.name = "small bytes", .msg = "blob", .time = "bigint NOT NULL DEFAULT 0"},
                              variant{.name = "json", .msg = "json"},
                              variant{.name = "char", .id = "char(36)", .name_type = "char(100) NOT NULL"},
                              variant{.name = "texts", .name_type = "tinytext NOT NULL"},
                              variant{.name = "binary id", .id = "varbinary(255)"},
                              variant{.name = "ascii",
                              .id = "varchar(255) CHARACTER SET ascii",
                              .name_type = "varchar(255) CHARACTER SET ascii NOT NULL"}}) {
            CAPTURE(v.name);
            support::scene here(support::table::of(fmt::format(
                "CREATE TABLE {{}} (id {} PRIMARY KEY, msg {}, exchange {}, routing_key {}, status {}, try_count {}, "
                "next_try_time {}, create_time {}, update_time {}) DEFAULT CHARSET = utf8mb4",
                v.id, v.msg, v.name_type, v.name_type, v.status, v.tries, v.time, v.time, v.time)));
            delivers_and_fails(here);
        }
    }

    TEST_CASE("column names in capitals, in another order and among others will do") {
        support::scene here(support::table::of(
            "CREATE TABLE {} (UPDATE_TIME bigint, tenant int DEFAULT 7, STATUS int NOT NULL DEFAULT 0, Msg text, "
            "Routing_Key varchar(255) NOT NULL, EXCHANGE varchar(255) NOT NULL, TRY_COUNT int NOT NULL DEFAULT 0, "
            "ID varchar(255) PRIMARY KEY, Create_Time bigint, Next_Try_Time bigint, remark text)"));
        delivers_and_fails(here);
        CHECK(here.rows("tenant = 7 AND remark IS NULL") == 2);
    }

    TEST_CASE("each optional column is used if it is there, and not missed if it is not") {
        for (int present = 0; present < 16; ++present) {
            CAPTURE(present);
            const bool headers = (present & 1) != 0, properties = (present & 2) != 0, order_key = (present & 4) != 0,
                       last_error = (present & 8) != 0;
            std::string ddl =
                "CREATE TABLE {} (id varchar(255) PRIMARY KEY, msg text, exchange varchar(255) NOT NULL, routing_key "
                "varchar(255) NOT NULL, status int NOT NULL DEFAULT 0, try_count int NOT NULL DEFAULT 0, next_try_time "
                "bigint, create_time bigint, update_time bigint";
            if (headers) ddl += ", headers json";
            if (properties) ddl += ", properties text";
            if (order_key) ddl += ", order_key varchar(255)";
            if (last_error) ddl += ", last_error varchar(1000)";
            support::scene here(support::table::of(ddl + ")"));
            rows::columns others;
            if (headers) others["headers"] = "'{\"tenant\": \"t1\"}'";
            if (properties) others["properties"] = "'{\"type\": \"created\"}'";
            if (order_key) others["order_key"] = "'customer 1'";
            put(here, "good", others);
            put(here, "bad", {{"exchange", "'no.such.exchange'"}});
            auto settings = support::quick_settings(here.table);
            settings.retry.max_retries = 0;
            const support::relaying relay(settings);
            REQUIRE(here.reaches(1, 1));
            REQUIRE(here.reaches(2, 1));
            const auto message = here.rabbit.get(here.to.queue());
            REQUIRE(message);
            CHECK(message->headers == (headers ? nlohmann::json{{"tenant", "t1"}} : nlohmann::json::object()));
            CHECK(message->type == (properties ? "created" : ""));
            if (last_error) {
                CHECK(support::error_of(here.server, here.table, "bad").find("no.such.exchange") != std::string::npos);
                CHECK(support::error_of(here.server, here.table, "good") == "NULL");
            }
        }
    }
}
