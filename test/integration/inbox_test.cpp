// Consumers that run the two statements of schema/*/optional/msg_inbox.sql in their own transaction do their work once,
// however often a message comes.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <future>
#include <iterator>

#include "test/support/postgresql.hpp"
#include "test/support/relaying.hpp"

using namespace std::chrono_literals;
using support::eventually;

namespace {

struct mariadb {
    using connection = support::database;
    using table = support::table;
    static constexpr auto folder = "mysql";
    static constexpr auto remember = "INSERT IGNORE INTO {} (consumer, message_id) VALUES ('shipping', '{}')";
};

struct postgresql {
    using connection = support::postgresql;
    using table = support::postgresql_table;
    static constexpr auto folder = "postgresql";
    static constexpr auto remember =
        "INSERT INTO {} (consumer, message_id) VALUES ('shipping', '{}') ON CONFLICT DO NOTHING";
};

/// The consumer's tables, dropped at the end.
template <class Kind>
struct inbox {
    const std::string name = support::unique_name("inbox");
    const std::string shipments = name + "_shipments";
    typename Kind::connection server;

    inbox() {
        std::ifstream file(fmt::format("{}/{}/optional/msg_inbox.sql", OUTBOX_SCHEMA, Kind::folder));
        std::string sql;
        for (std::string line; std::getline(file, line);)
            if (!line.starts_with("--")) sql += line + '\n';
        const std::string original = "msg_inbox";
        for (auto at = sql.find(original); at != sql.npos; at = sql.find(original, at + name.size()))
            sql.replace(at, original.size(), name);
        server.execute(sql);
        server.execute(fmt::format("CREATE TABLE {} (message_id varchar(255) NOT NULL)", shipments));
    }
    ~inbox() {
        server.execute("DROP TABLE " + name);
        server.execute("DROP TABLE " + shipments);
    }
    inbox(const inbox&) = delete;
    inbox& operator=(const inbox&) = delete;

    bool remembers_first(typename Kind::connection& by, const std::string& id) const {
        return by.execute(fmt::format(Kind::remember, name, id)) == 1;
    }
    void ship(typename Kind::connection& by, const std::string& id) const {
        by.execute(fmt::format("INSERT INTO {} (message_id) VALUES ('{}')", shipments, id));
    }
    /// True: it was new.
    bool handle(const std::string& id) {
        server.execute("BEGIN");
        const bool is_new = remembers_first(server, id);
        if (is_new) ship(server, id);
        server.execute("COMMIT");
        return is_new;
    }
    std::int64_t shipped() { return server.number("SELECT COUNT(*) FROM " + shipments); }
    std::int64_t shipped_ids() { return server.number("SELECT COUNT(DISTINCT message_id) FROM " + shipments); }
};

}  // namespace

TEST_SUITE("consume once") {
    TEST_CASE_TEMPLATE("messages that are sent again are consumed once, and each has its receipt", kind, mariadb,
                       postgresql) {
        constexpr std::int64_t many = 50;
        inbox<kind> consumer;
        const auto outbox = kind::table::recommended();
        auto& server = consumer.server;
        support::broker rabbit;
        const support::route to(rabbit);
        for (int i = 1; i <= many; ++i)
            server.execute(fmt::format("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ('m{}', 'b', '{}', 'k')",
                                       outbox.name(), i, to.exchange()));
        const support::relaying relay(support::quick_settings(outbox.settings()));
        const auto reaches = [&](int status) {
            const auto rows = fmt::format("SELECT COUNT(*) FROM {} WHERE status = {}", outbox.name(), status);
            return eventually([&] { return server.number(rows) == many; });
        };
        std::size_t copies = 0;
        for (int round = 1; round <= 3; ++round) {
            REQUIRE(reaches(1));
            for (const auto& message : rabbit.take_all(to.queue())) {
                ++copies;
                CHECK(consumer.handle(message.id) == (round == 1));
                server.execute(fmt::format("UPDATE {} SET status = 3 WHERE id = '{}' AND status IN (0, 1)",
                                           outbox.name(), message.id));
            }
            REQUIRE(reaches(3));
            CHECK(consumer.shipped() == many);
            // As an operator does who wants to be sure, or a database that was restored.
            server.execute(fmt::format("UPDATE {} SET status = 0", outbox.name()));
        }
        CHECK(copies == 3 * many);
        CHECK(consumer.shipped_ids() == many);
    }

    TEST_CASE_TEMPLATE("of two copies at the same time, the second waits, and works only if the first gave up", kind,
                       mariadb, postgresql) {
        inbox<kind> consumer;
        for (const bool first_commits : {true, false}) {
            CAPTURE(first_commits);
            const std::string id = first_commits ? "committed" : "rolled back";
            typename kind::connection first;
            first.execute("BEGIN");
            REQUIRE(consumer.remembers_first(first, id));
            consumer.ship(first, id);
            auto second = std::async(std::launch::async, [&] { return consumer.handle(id); });
            CHECK(second.wait_for(300ms) == std::future_status::timeout);
            first.execute(first_commits ? "COMMIT" : "ROLLBACK");
            CHECK(second.get() != first_commits);
        }
        CHECK(consumer.shipped() == 2);
        CHECK(consumer.shipped_ids() == 2);
    }

    TEST_CASE_TEMPLATE("work that fails is not remembered as done, and ids are told apart by every letter", kind,
                       mariadb, postgresql) {
        inbox<kind> consumer;
        consumer.server.execute("BEGIN");
        CHECK(consumer.remembers_first(consumer.server, "m"));
        CHECK_THROWS(consumer.server.execute("INSERT INTO there_is_no_such_table VALUES (1)"));
        consumer.server.execute("ROLLBACK");
        CHECK(consumer.handle("m"));
        CHECK(consumer.handle("M"));
        CHECK_FALSE(consumer.handle("m"));
        CHECK(consumer.shipped() == 2);
    }
}
