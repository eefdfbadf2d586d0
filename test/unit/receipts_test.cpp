#include "relay/receipts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>

#include "conf/load.hpp"
#include "outbox/store.hpp"

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

namespace {

/// Hands out batches as a queue does: what was not acknowledged comes again after a loss.
struct queue final : relay::receipt_source {
    std::deque<std::string> ready;
    strings unacknowledged;
    std::size_t acknowledged = 0;
    int rests = 0;
    std::chrono::milliseconds rested{0};

    strings take(std::size_t limit, std::chrono::milliseconds) override {
        const auto count = static_cast<std::ptrdiff_t>(std::min(limit, ready.size()));
        const strings batch(ready.begin(), ready.begin() + count);
        ready.erase(ready.begin(), ready.begin() + count);
        unacknowledged.insert(unacknowledged.end(), batch.begin(), batch.end());
        return batch;
    }
    void acknowledge() override {
        acknowledged += unacknowledged.size();
        unacknowledged.clear();
    }
    void rest(std::chrono::milliseconds time) override {
        ++rests;
        rested = time;
    }
    void lose() {
        ready.insert(ready.begin(), unacknowledged.begin(), unacknowledged.end());
        unacknowledged.clear();
    }
};

struct table final : outbox::receipts {
    std::map<std::string, int> status;
    const char* fails = nullptr;
    bool loses_reply = false;
    int asked = 0;

    outbox::receipts_taken take_receipts(std::span<const std::string> ids) override {
        ++asked;
        if (fails != nullptr) throw outbox::store_unavailable(fails);
        outbox::receipts_taken taken;
        for (const auto& id : ids) {
            const auto row = status.find(id);
            if (row == status.end())
                taken.unknown.push_back(id);
            else if (row->second < 2)
                row->second = 3, ++taken.changed;
        }
        if (loses_reply) throw outbox::store_unavailable("the reply was lost");
        return taken;
    }
};

struct listener final : relay::observer {
    std::size_t changed = 0, unchanged = 0;
    strings unknown;
    int ups = 0, downs = 0;
    void receipts_taken(std::size_t made, std::size_t left, std::span<const std::string> strange) override {
        changed += made;
        unchanged += left;
        unknown.insert(unknown.end(), strange.begin(), strange.end());
    }
    void database_up(std::string_view role) override { ups += role == "receipts"; }
    void database_down(std::string_view role, std::string_view) override { downs += role == "receipts"; }
};

struct fixture {
    queue from;
    table rows;
    listener heard;
    relay::receipt_taker taker{from, rows, [] { return 1.0; }, heard};
};

}  // namespace

TEST_SUITE("receipts") {
    TEST_CASE_FIXTURE(fixture, "what is recorded is acknowledged, and counted by what became of it") {
        rows.status = {{"a", 1}, {"b", 0}, {"c", 3}, {"d", 2}};
        from.ready = {"a", "b", "c", "d", "stranger", "", "a"};
        taker.run_once();
        CHECK(from.acknowledged == 7);
        CHECK(rows.status == std::map<std::string, int>{{"a", 3}, {"b", 3}, {"c", 3}, {"d", 2}});
        CHECK(heard.changed == 2);
        CHECK(heard.unchanged == 3);
        CHECK(heard.unknown == strings{"stranger", ""});
    }

    TEST_CASE_FIXTURE(fixture, "nothing is acknowledged before it is recorded, however long that takes") {
        rows.status = {{"a", 1}};
        rows.fails = "gone";
        from.ready = {"a"};
        auto longest = 0ms;
        for (int i = 0; i < 10; ++i) {
            taker.run_once();
            longest = std::max(longest, from.rested);
        }
        CHECK(from.acknowledged == 0);
        CHECK(from.rests == 10);
        CHECK(longest == 5s);
        CHECK(heard.downs == 1);
        rows.fails = nullptr;
        taker.run_once();
        CHECK(from.acknowledged == 1);
        CHECK(rows.status["a"] == 3);
        CHECK(heard.ups == 1);
        rows.fails = "gone again";
        from.ready = {"a"};
        taker.run_once();
        CHECK(from.rested == 100ms);
        CHECK(heard.downs == 2);
    }

    TEST_CASE_FIXTURE(fixture, "a receipt that comes again after a lost reply, or a lost connection, does no harm") {
        rows.status = {{"a", 1}};
        rows.loses_reply = true;
        from.ready = {"a"};
        taker.run_once();
        from.lose();
        rows.loses_reply = false;
        taker.run_once();
        taker.run_once();
        CHECK(rows.status["a"] == 3);
        CHECK(heard.changed == 0);
        CHECK(heard.unchanged == 2);
        CHECK(from.ready.empty());
        CHECK(from.unacknowledged.empty());
    }

    TEST_CASE_FIXTURE(fixture, "while nothing comes the database is left alone") {
        for (int i = 0; i < 5; ++i) taker.run_once();
        CHECK(rows.asked == 0);
        CHECK(from.rests == 0);
    }

    TEST_CASE("settings under which no receipt could ever be taken are refused") {
        const auto faults = [](const std::string& more) {
            try {
                conf::load_text("database: {url: \"sqlite:///tmp/x.db\"}\n" + more, "file", {}, {});
            } catch (const conf::invalid& error) {
                return error.problems();
            }
            return std::vector<conf::problem>{};
        };
        const std::string queue = "receipts: {queue: done}\n";
        CHECK(faults("broker: {urls: [\"amqp://a/\"]}\n" + queue).empty());
        CHECK(faults("broker: {urls: [\"log:\"]}\n").empty());
        const auto no_broker = faults("broker: {urls: [\"log:\"]}\n" + queue);
        REQUIRE(no_broker.size() == 1);
        CHECK(no_broker.front().where == "file:3:19");
        CHECK(no_broker.front().what.starts_with("receipts.queue: needs a broker"));
        const auto no_rows = faults("broker: {urls: [\"amqp://a/\"]}\nrelay: {after_delivery: delete}\n" + queue);
        REQUIRE(no_rows.size() == 1);
        CHECK(no_rows.front().what.starts_with("receipts.queue: needs relay.after_delivery: keep"));
        const std::string broker = "broker: {urls: [\"amqp://a/\"]}\n";
        CHECK(faults(broker + "receipts: {overdue: 1h, redeliver: {within: 6h}}\n").empty());
        for (const char* bad :
             {"receipts: {redeliver: {within: 6h}}\n", "receipts: {overdue: 6h, redeliver: {within: 6h}}\n"}) {
            const auto found = faults(broker + bad);
            REQUIRE(found.size() == 1);
            CHECK(found.front().what.starts_with("receipts.redeliver.within: needs receipts.overdue"));
        }
    }
}
