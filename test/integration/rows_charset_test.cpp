// Tables in charsets of old: text arrives as UTF-8, and a settlement finds its rows by the primary key.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>

#include "outbox/store.hpp"
#include "test/integration/rows.hpp"

using rows::put;

namespace {

struct charset {
    const char* name;
    std::string text;  // more than ASCII, and in this charset
};
const std::array charsets{charset{"gbk", "订单"},           charset{"latin1", "bestätigt"},
                          charset{"utf8", "pedido ñ 订单"}, charset{"utf16", "😀 ü 订单"},
                          charset{"gb18030", "订单"},       charset{"cp1251", "заказ"}};

support::table table_in(const charset& its) {
    return support::table::of(
        "CREATE TABLE {} (id varchar(255) NOT NULL PRIMARY KEY, msg mediumtext, exchange varchar(255) NOT NULL, "
        "routing_key varchar(255) NOT NULL, status int NOT NULL DEFAULT 0, try_count int NOT NULL DEFAULT 0, "
        "next_try_time bigint, create_time bigint, update_time bigint, last_error varchar(200), "
        "KEY due (status, next_try_time)) DEFAULT CHARSET = " +
        std::string(its.name));
}

bool knows(support::database& server, const charset& its) {
    return !server.rows(fmt::format("SHOW CHARACTER SET LIKE '{}'", its.name)).empty();
}

}  // namespace

TEST_SUITE("rows") {
    TEST_CASE("text of another charset arrives as UTF-8, in names and ids too, and its row is settled") {
        support::database server;
        for (const auto& its : charsets) {
            CAPTURE(its.name);
            if (!knows(server, its)) continue;
            support::scene here(table_in(its));
            const auto exchange = here.to.exchange() + " " + its.text;
            here.rabbit.declare_exchange(exchange);
            here.rabbit.bind(here.to.queue(), exchange, "#");
            const rows::columns others{{"msg", support::utf8("body " + its.text)},
                                       {"exchange", support::utf8(exchange)},
                                       {"routing_key", support::utf8("key " + its.text)}};
            put(here, "id " + its.text, others);
            auto to_nowhere = others;
            to_nowhere["exchange"] = support::utf8("nowhere " + its.text);
            put(here, "failing " + its.text, to_nowhere);
            auto large = others;
            large["msg"] = "REPEAT(" + support::utf8(its.text) + ", 5000)";
            put(here, "large " + its.text, large);

            auto settings = support::quick_settings(here.table);
            settings.retry.max_retries = 0;
            const support::relaying relay(settings);
            const bool settled = here.reaches(1, 2) && here.reaches(2, 1);
            CHECK_MESSAGE(settled, relay.seen().all());
            for (const auto& one : here.rabbit.take_all(here.to.queue())) {
                CHECK(one.exchange == exchange);
                CHECK(one.routing_key == "key " + its.text);
                if (one.id == "large " + its.text) {
                    CHECK(one.body.size() == 5'000 * its.text.size());
                    continue;
                }
                CHECK(one.id == "id " + its.text);
                CHECK(one.body == "body " + its.text);
            }
            CHECK(here.server.text(here.table.in("SELECT last_error FROM {} WHERE status = 2")).find("nowhere") !=
                  std::string::npos);
            here.rabbit.delete_exchange(exchange);
        }
    }

    TEST_CASE("a reason that the charset of its column can't hold does not keep its row from being settled") {
        support::database server;
        for (const auto& its : charsets) {
            CAPTURE(its.name);
            if (!knows(server, its)) continue;
            support::scene here(table_in(its));
            put(here, "a");
            const auto store = outbox::make_store(here.table.settings(), {});
            CHECK(store->settle(std::array{
                      outbox::settlement{"a", outbox::settlement::kind::failed, 1, {}, "why: 😀 漢 ü ж \xFF"}}) == 1);
            CHECK(here.server.text(here.table.in("SELECT LEFT(last_error, 5) FROM {}")) == "why: ");
        }
    }

    TEST_CASE("a settlement looks at no more rows than its own, whatever the charset of the ids") {
        support::database server;
        support::database root(support::database::account::root);
        const auto examined = [&] { return support::entries_read(root); };
        for (const auto& its : charsets) {
            CAPTURE(its.name);
            if (!knows(server, its)) continue;
            support::scene here(table_in(its));
            std::string sql = here.table.in("INSERT INTO {} (id, exchange, routing_key) VALUES ");
            for (int i = 0; i < 20'000; ++i)
                sql += fmt::format("{}({}, '', '')", i == 0 ? "" : ",", support::utf8(its.text + std::to_string(i)));
            here.server.execute(sql);
            using kind = outbox::settlement::kind;
            for (const auto what : {kind::delivered, kind::retry, kind::failed}) {
                const auto store = outbox::make_store(here.table.settings(), {});
                const auto page = store->due({}, 10);
                REQUIRE(page.rows.size() == 10);
                std::vector<outbox::settlement> batch;
                for (const auto& one : page.rows) batch.push_back({one.id, what, 1, std::chrono::hours(1), "why"});
                const auto before = examined();
                const auto itself = examined() - before;
                CHECK(store->settle(batch) == 10);
                CHECK(examined() - before - 2 * itself <= 200);
            }
        }
    }
}
