// Consumers say that they are done, through a queue, while the broker, the database and the sidecar come and go.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>
#include <map>
#include <thread>

#include "test/support/control.hpp"
#include "test/support/environment.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using namespace std::chrono_literals;
using support::eventually;
using strings = std::vector<std::string>;

namespace {

constexpr auto server_may_take = 90s;

strings numbered(std::size_t from, std::size_t to) {
    strings ids;
    for (auto i = from; i <= to; ++i) ids.push_back("m" + std::to_string(i));
    return ids;
}

/// A scene with a queue for receipts, which is deleted at the end.
struct receipt_scene : support::scene {
    using scene::scene;
    ~receipt_scene() {
        try {
            rabbit.delete_queue(queue);
        } catch (const std::exception&) {
            // It may never have been declared.
        }
    }

    const std::string queue = support::unique_name("receipts");

    conf::settings settings() const {
        auto all = support::quick_settings(table);
        all.receipts.queue = queue;
        return all;
    }

    /// Rows that were delivered long ago: m1, m2 …
    void insert_delivered(std::size_t many) {
        support::insert(server, table, many, to.exchange());
        server.execute(table.in("UPDATE {} SET status = 1"));
    }

    /// Waits until so many rows are consumed; over connections of its own, as the server may be away.
    bool consumed(std::size_t many) const {
        return eventually(
            [&] {
                try {
                    support::database again;
                    return support::count(again, table, "status = 3") == many;
                } catch (const std::runtime_error&) {
                    return false;
                }
            },
            server_may_take);
    }
};

/// Takes messages out and sends the receipt of each, in a thread of its own until stop().
class consumer {
  public:
    consumer(std::string queue, std::string receipts)
        : thread_([this, queue = std::move(queue), receipts = std::move(receipts)] {
              support::broker rabbit;
              while (!stopping_) {
                  strings ids;
                  for (const auto& one : rabbit.take_all(queue)) ids.push_back(one.id);
                  if (!ids.empty()) rabbit.publish_ids(receipts, ids);
              }
          }) {}
    ~consumer() {
        stopping_ = true;
        thread_.join();
    }
    consumer(const consumer&) = delete;
    consumer& operator=(const consumer&) = delete;

  private:
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_SUITE("receipts") {
    TEST_CASE("what consumers report in mid-burst is recorded, each message of it") {
        receipt_scene here;
        support::relaying relay(here.settings());
        REQUIRE(eventually([&] { return relay.so_far().receipts_up == 1; }));
        const consumer consumer(here.to.queue(), here.queue);
        support::burst burst(here.table, here.to.exchange());
        REQUIRE(eventually([&] { return relay.so_far().receipts_recorded >= 2'000; }));
        const auto total = burst.stop();
        INFO(relay.seen().all());
        REQUIRE(here.consumed(total));
        CHECK(here.rows("status = 3 AND try_count = 0 AND update_time >= create_time") == total);
        CHECK(eventually([&] { return here.rabbit.depth(here.queue) == 0; }));
        relay.stop();
        CHECK(relay.so_far().receipts_recorded == total);
        CHECK(relay.so_far().receipts_unknown == 0);
        CHECK(relay.so_far().receipts_down == 0);
        CHECK(here.rabbit.depth(here.queue) == 0);
    }

    TEST_CASE("a receipt that comes before the confirm is recorded wins") {
        receipt_scene here;
        constexpr std::size_t many = 100;
        support::insert(here.server, here.table, many, here.to.exchange());
        // Nobody can write to the rows until both the confirms and the receipts wait to be recorded.
        here.server.execute("START TRANSACTION");
        here.server.rows(here.table.in("SELECT id FROM {} FOR UPDATE"));
        support::relaying relay(here.settings());
        REQUIRE(eventually([&] { return relay.so_far().confirmed >= many; }));
        here.rabbit.publish_ids(here.queue, numbered(1, many));
        REQUIRE(eventually([&] { return here.rabbit.depth(here.queue) == 0; }));  // handed out
        here.server.execute("COMMIT");
        REQUIRE_MESSAGE(here.consumed(many), relay.seen().all());
        CHECK(support::holds_for(1s, [&] { return here.rows("status = 3") == many; }));
        CHECK(here.rabbit.take_all(here.to.queue()).size() == many);
    }

    TEST_CASE("while the broker restarts, receipts wait, and all of them are recorded") {
        receipt_scene here;
        here.insert_delivered(3'000);
        support::relaying relay(here.settings());
        REQUIRE(eventually([&] { return relay.so_far().receipts_up == 1; }));
        here.rabbit.publish_ids(here.queue, numbered(1, 1'500));
        {
            support::outage outage(support::server::rabbitmq, support::manner::stop);
            REQUIRE(eventually([&] { return relay.so_far().receipts_down >= 1; }));
            outage.end();
        }
        here.rabbit.publish_ids(here.queue, numbered(1'501, 3'000));
        INFO(relay.seen().all());
        CHECK(here.consumed(3'000));
        CHECK(relay.so_far().receipts_up >= 2);
        CHECK(relay.so_far().receipts_unknown == 0);
    }

    TEST_CASE("while the database is away, no receipt is acknowledged, and all of them are recorded") {
        receipt_scene here;
        here.insert_delivered(3'000);
        {
            support::relaying relay(here.settings());
            REQUIRE(eventually([&] { return relay.so_far().receipts_up == 1; }));
            support::outage outage(support::server::mariadb, support::manner::kill);
            here.rabbit.publish_ids(here.queue, numbered(1, 3'000));
            REQUIRE(eventually([&] { return relay.seen().database_down_for("receipts: "); }));
            CHECK(relay.so_far().receipts_recorded == 0);
            relay.stop();
            CHECK(eventually([&] { return here.rabbit.depth(here.queue) == 3'000; }));
            outage.end();
        }
        support::relaying relay(here.settings());
        REQUIRE(eventually([&] { return relay.so_far().receipts_recorded >= 500; }));
        {
            support::outage again(support::server::mariadb, support::manner::kill);
            again.end();
        }
        INFO(relay.seen().all());
        CHECK(here.consumed(3'000));
        CHECK(relay.so_far().receipts_unknown == 0);
        CHECK(eventually([&] { return here.rabbit.depth(here.queue) == 0; }));
    }

    TEST_CASE("killed at any moment, the sidecar's next life records what is left, and no receipt is lost") {
        receipt_scene here;
        constexpr std::size_t many = 20'000;
        here.insert_delivered(many);
        here.rabbit.declare_queue(here.queue);
        here.rabbit.publish_ids(here.queue, numbered(1, many));
        auto env = support::settings_for(here.table);
        env["OUTBOX_RECEIPTS_QUEUE"] = here.queue;
        for (std::size_t killed_at = 1; killed_at < many; killed_at += many / 4) {
            const support::sidecar_process sidecar({}, env);
            REQUIRE(eventually([&] { return here.rows("status = 3") >= killed_at; }, server_may_take));
            sidecar.signal(SIGKILL);
        }
        support::sidecar_process last({}, env);
        CHECK(here.consumed(many));
        CHECK(eventually([&] { return here.rabbit.depth(here.queue) == 0; }));
        last.signal(SIGTERM);
        CHECK(last.wait() == 0);
        CHECK(here.rabbit.depth(here.queue) == 0);
    }

    TEST_CASE("receipts for no row, and whatever strays into the queue, are dropped, counted and named once") {
        receipt_scene here;
        here.insert_delivered(3);
        auto env = support::settings_for(here.table);
        env["OUTBOX_RECEIPTS_QUEUE"] = here.queue;
        env["OUTBOX_HTTP_METRICS"] = "127.0.0.1:0";
        support::sidecar_process sidecar({}, env);
        REQUIRE(sidecar.says("receipts_up"));
        here.rabbit.publish("", here.queue, "stranger");
        here.rabbit.publish("", here.queue, "", "other stranger");
        here.rabbit.publish("", here.queue, "");
        here.rabbit.publish("", here.queue, std::string(5'000'000, '\xff'));
        here.rabbit.publish("", here.queue, std::string("\0\xff'\"\\\n", 6));
        here.rabbit.publish("", here.queue, "m1");
        here.rabbit.publish("", here.queue, "", "m2");
        here.rabbit.publish("", here.queue, "m3", "not asked for");
        CHECK(here.consumed(3));
        CHECK(eventually([&] { return here.rabbit.depth(here.queue) == 0; }));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        CHECK(here.rabbit.depth(here.queue) == 0);
        const auto log = sidecar.err();
        for (const auto* id : {R"("id":"stranger")", R"("id":"other stranger")"}) {
            CAPTURE(id);
            REQUIRE(contains(log, id));
            CHECK(log.find(id) == log.rfind(id));
        }
        CHECK(contains(log, "a receipt without an id, or with one that is too long, is dropped"));
        CHECK(log.size() < 20'000);
    }

    TEST_CASE("a queue of another form serves as it is, and one that is deleted is declared again") {
        receipt_scene here;
        here.insert_delivered(3);
        here.rabbit.declare_queue(here.queue, {{"x-queue-type", "quorum"}});
        support::relaying relay(here.settings());
        here.rabbit.publish_ids(here.queue, {"m1"});
        CHECK(here.consumed(1));
        here.rabbit.delete_queue(here.queue);
        REQUIRE(eventually([&] { return relay.so_far().receipts_down == 1; }));
        REQUIRE(eventually([&] { return relay.so_far().receipts_up == 2; }));
        here.rabbit.publish_ids(here.queue, {"m2"});
        CHECK(here.consumed(2));
        relay.stop();
        CHECK(relay.so_far().down == 0);  // the messages' own connection knows nothing of it

        here.rabbit.delete_queue(here.queue);
        auto settings = here.settings();
        settings.topology.queues.push_back({.name = here.queue, .arguments = {{"x-queue-type", "\"quorum\""}}});
        support::relaying as_told(settings);
        REQUIRE(eventually([&] { return as_told.so_far().receipts_up == 1; }));
        here.rabbit.declare_queue(here.queue, {{"x-queue-type", "quorum"}});  // refused if it is of another form
        here.rabbit.publish_ids(here.queue, {"m3"});
        CHECK(here.consumed(3));
    }

    TEST_CASE("several sidecars share the queue, and standbys do, too") {
        receipt_scene here;
        here.insert_delivered(2'000);
        support::relaying one(here.settings()), other(here.settings());
        REQUIRE(eventually([&] { return one.so_far().receipts_up == 1 && other.so_far().receipts_up == 1; }));
        here.rabbit.publish_ids(here.queue, numbered(1, 2'000));
        CHECK(here.consumed(2'000));
        one.stop();
        other.stop();
        CHECK(one.so_far().receipts_recorded > 0);
        CHECK(other.so_far().receipts_recorded > 0);
        CHECK(one.so_far().receipts_recorded + other.so_far().receipts_recorded == 2'000);
        CHECK(here.rabbit.depth(here.queue) == 0);
    }

    TEST_CASE("without receipts.queue nothing is consumed, and none is needed") {
        receipt_scene here;
        here.insert_delivered(1);
        here.rabbit.declare_queue(here.queue);
        here.rabbit.publish_ids(here.queue, {"m1"});
        support::relaying relay(support::quick_settings(here.table));
        support::insert(here.server, here.table, 1, here.to.exchange(), "key", "n");
        REQUIRE(here.reaches(1, 2));
        CHECK(here.rabbit.depth(here.queue) == 1);
        CHECK(relay.so_far().receipts_up + relay.so_far().receipts_down == 0);
    }

    TEST_CASE("messages whose receipt is overdue are listed, and only they") {
        receipt_scene here;
        here.insert_delivered(4);
        here.server.execute(
            here.table.in("UPDATE {} SET update_time = update_time - 7200000 WHERE id IN ('m2', 'm4')"));
        here.server.execute(here.table.in("UPDATE {} SET status = 3 WHERE id = 'm4'"));
        auto env = support::settings_for(here.table);
        const auto unset = support::run_sidecar({"list", "--overdue"}, env);
        CHECK(unset.code == 78);
        CHECK(contains(unset.err, "receipts.overdue"));
        env["OUTBOX_RECEIPTS_OVERDUE"] = "1h";
        const auto listed = support::run_sidecar({"list", "--overdue", "--json"}, env);
        CHECK(listed.code == 0);
        const auto messages = nlohmann::json::parse(listed.out)["messages"];
        REQUIRE(messages.size() == 1);
        CHECK(messages[0]["id"] == "m2");
    }

    TEST_CASE("a message without a receipt is sent again and again, until it is too old; one with a receipt is not") {
        receipt_scene here;
        support::insert(here.server, here.table, 3, here.to.exchange());
        // m3 was created long ago.
        here.server.execute(here.table.in("UPDATE {} SET create_time = create_time - 7200000 WHERE id = 'm3'"));
        auto settings = here.settings();
        settings.receipts.overdue = 1s;
        settings.receipts.redeliver = {.within = 1h, .batch_rows = 10, .interval = 1s};
        support::relaying relay(settings);
        REQUIRE(here.reaches(1, 3));
        here.rabbit.publish_ids(here.queue, {"m2"});
        REQUIRE(here.consumed(1));
        std::map<std::string, int> copies;
        REQUIRE_MESSAGE(eventually([&] {
                            for (const auto& one : here.rabbit.take_all(here.to.queue())) ++copies[one.id];
                            return copies["m1"] >= 3;
                        }),
                        relay.seen().all());
        here.rabbit.publish_ids(here.queue, {"m1"});
        REQUIRE(here.consumed(2));
        CHECK(support::holds_for(3s, [&] { return here.rows("status = 3") == 2; }));  // also by a copy on its way
        for (const auto& one : here.rabbit.take_all(here.to.queue())) ++copies[one.id];
        CHECK(support::holds_for(3s, [&] { return here.rabbit.depth(here.to.queue()) == 0; }));
        CHECK(copies["m2"] == 1);
        CHECK(copies["m3"] == 1);
        CHECK(here.rows("id = 'm3' AND status = 1") == 1);
    }

    TEST_CASE("no more than batch_rows are sent again at once, and none while the queue of receipts is not read") {
        receipt_scene here;
        here.insert_delivered(50);
        here.server.execute(here.table.in("UPDATE {} SET update_time = update_time - 5400000"));
        auto settings = here.settings();
        settings.receipts.overdue = 1h;
        settings.receipts.redeliver = {.within = 2h, .batch_rows = 20, .interval = 3s};
        settings.broker.urls = {"amqp://guest:guest@127.0.0.1:1/"};
        {
            const support::relaying unheard(settings);
            CHECK(support::holds_for(5s, [&] { return here.rows("status = 1") == 50; }));
        }
        settings.broker.urls = {support::amqp_url()};
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return here.rows("status = 1 AND update_time < create_time") == 30; }));
        REQUIRE(eventually([&] { return here.rows("status = 1 AND update_time < create_time") == 0; }));
        CHECK(here.reaches(1, 50));
        CHECK(here.rabbit.take_all(here.to.queue()).size() == 50);
    }

    TEST_CASE("the throughput of receipts beside a relay at work") {
        receipt_scene here;
        constexpr std::size_t many = 50'000;
        here.insert_delivered(many);
        here.rabbit.declare_queue(here.queue);
        here.rabbit.publish_ids(here.queue, numbered(1, many));
        const auto began = std::chrono::steady_clock::now();
        const support::relaying relay(here.settings());
        support::burst burst(here.table, here.to.exchange());
        REQUIRE(eventually([&] { return relay.so_far().receipts_recorded == many; }, server_may_take));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        burst.stop();
        const auto rate = static_cast<double>(many) / took.count();
        MESSAGE("receipts per second: " << rate);
        CHECK(rate > 1'000);
    }
}
