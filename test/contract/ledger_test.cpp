// The ledger of failures: what is filed there, when, and what a retry from there does.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <future>
#include <nlohmann/json.hpp>
#include <set>

#include "test/contract/table_view.hpp"

namespace {

using contract::delivered;
using contract::failed;
using contract::new_row;
using contract::numbered;
using contract::retry;
using contract::shape;
using contract::table_view;
using nlohmann::json;
using outbox::ledger_retry;
using strings = std::vector<std::string>;
using namespace std::chrono_literals;

// The ids of the messages that are filed, the latest first.
strings filed(outbox::store& store) {
    strings ids;
    for (const auto& one : store.entries(std::nullopt, 10'000)) ids.push_back(one.message_id);
    return ids;
}

strings sorted(strings ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
}

outbox::ledger_entry only(outbox::store& store) {
    const auto all = store.entries(std::nullopt, 10);
    REQUIRE(all.size() == 1);
    return all.front();
}

TEST_CASE("a message that fails for good is filed with all that there was to know of it") {
    table_view table;
    table.insert(new_row{
        .id = "a", .msg = R"({"n":1})", .exchange = "ex", .routing_key = "key", .create_time = 1'763'713'800'999});
    table.execute("UPDATE {} SET order_key = 'o', headers = '{\"h\": [1, null]}' WHERE id = 'a'");
    const auto store = table.open();
    CHECK(store->has_ledger());
    const std::string reason = "312 " + std::string(5'000, 'x') + "ü";
    const auto before = table.now();
    CHECK(store->settle(std::array{failed("a", 4, reason)}) == 1);
    CHECK_FALSE(store->unfiled());

    const auto one = only(*store);
    CHECK(one.failed_on == outbox::ledger_entry::side::producer);
    CHECK(one.message_id == "a");
    CHECK(one.exchange == "ex");
    CHECK(one.routing_key == "key");
    CHECK(one.key == "o");
    CHECK(json::parse(one.headers.value()) == json::parse(R"({"h": [1, null]})"));
    CHECK(one.reason == reason);
    CHECK(one.payload_size == 7);
    CHECK(one.message_created == "2025-11-21T08:30:00Z");
    CHECK(one.retries == 0);
    CHECK_FALSE(one.last_retry_succeeded);
    REQUIRE(one.filed);
    CHECK(*one.filed >= before);
    CHECK(*one.filed <= table.now());
    CHECK(store->payload(one.id) == R"({"n":1})");
}

TEST_CASE("what a row lacks is filed as nothing, and bodies of any size and bytes as they are") {
    std::string all_bytes;
    for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
    for (const auto& [of, body] : {std::pair{shape::bytes, all_bytes}, std::pair{shape::bytes, std::string()},
                                   std::pair{shape::recommended, std::string(3'000'000, 'x') + "😀"}}) {
        table_view table(of);
        table.insert({.id = "a", .msg = body, .exchange = "", .routing_key = "", .create_time = std::nullopt});
        const auto store = table.open();
        REQUIRE(store->settle(std::array{failed("a", 1, "")}) == 1);
        const auto one = only(*store);
        CHECK(one.exchange.empty());
        CHECK_FALSE(one.key);
        CHECK_FALSE(one.headers);
        CHECK_FALSE(one.message_created);
        CHECK(one.reason.empty());
        CHECK(one.payload_size == body.size());
        CHECK((store->payload(one.id) == body));
    }
}

TEST_CASE("only those that become failed are filed, and settling again files none twice") {
    table_view table;
    table.insert(std::vector<new_row>{
        {.id = "a"}, {.id = "b"}, {.id = "c"}, {.id = "d", .status = 3}, {.id = "e", .status = 2}, {.id = "f"}});
    const auto store = table.open();
    const std::array batch{delivered("a"), retry("b", 1, 1h),       failed("c", 4),   failed("d", 4),
                           failed("e", 4), failed("f", 4, "other"), failed("gone", 4)};
    CHECK(store->settle(batch) == 4);
    CHECK(sorted(filed(*store)) == strings{"c", "f"});
    CHECK(store->settle(batch) == 1);  // b, to where it is
    CHECK(table.open()->settle(std::array{failed("c", 4), failed("f", 4)}) == 0);
    CHECK(sorted(filed(*store)) == strings{"c", "f"});
    for (const auto& one : store->entries(std::nullopt, 10))
        CHECK(one.reason == (one.message_id == "f" ? "other" : "why"));

    table.execute("UPDATE {} SET status = 0 WHERE id = 'c'");
    CHECK(store->settle(std::array{failed("c", 4)}) == 1);  // failed anew
    CHECK(filed(*store).front() == "c");
    CHECK(filed(*store).size() == 3);
}

TEST_CASE("a batch with more failures than a statement holds is filed whole, with the latest first and page by page") {
    for (const auto of : {shape::recommended, shape::classic_ledger}) {
        const auto ids = numbered(700);
        table_view table(of);
        std::vector<new_row> rows;
        std::vector<outbox::settlement> batch;
        for (const auto& id : ids) {
            rows.push_back({.id = id, .msg = "body of " + id});
            batch.push_back(failed(id, 4, "reason of " + id));
        }
        table.insert(rows);
        const auto store = table.open();
        CHECK(store->settle(batch) == ids.size());
        strings seen;
        std::optional<std::int64_t> before;
        for (auto page = store->entries(before, 64); !page.empty(); page = store->entries(before, 64)) {
            CHECK(page.size() <= 64);
            for (const auto& one : page) {
                if (before) CHECK(one.id < *before);
                before = one.id;
                seen.push_back(one.message_id);
                CHECK(one.reason == "reason of " + one.message_id);
            }
        }
        CHECK(sorted(seen) == ids);
        CHECK(store->payload(*before) == "body of " + seen.back());
    }
}

TEST_CASE("what is not settled is not filed") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}});
    const auto store = table.open();
    const auto holder = table.on().connect();
    holder->execute("BEGIN");
    holder->execute(table.on().in("UPDATE {} SET exchange = 'held' WHERE id = 'b'"));
    const std::array batch{failed("a", 4), failed("b", 4)};
    CHECK_THROWS_AS(store->settle(batch), outbox::store_busy);
    CHECK(filed(*table.open()).empty());
    holder->execute("ROLLBACK");
    CHECK(store->settle(batch) == 2);
    CHECK(sorted(filed(*store)) == strings{"a", "b"});
}

TEST_CASE("failures that could not be settled over a lost connection are settled and filed over the next, once") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a"}, {.id = "b"}});
    const auto store = table.open();
    const auto cut = table.on().cutter(*store);
    if (!cut) return;
    const std::array batch{failed("a", 4), failed("b", 4)};
    cut();
    CHECK_THROWS_AS(store->settle(batch), outbox::store_unavailable);
    CHECK(filed(*table.open()).empty());
    CHECK(store->settle(batch) == 2);
    CHECK(sorted(filed(*store)) == strings{"a", "b"});
}

TEST_CASE("of two that settle the same failures at once, each is filed by one") {
    for (const auto of : {shape::recommended, shape::classic_ledger}) {
        table_view table(of);
        const auto ids = numbered(200);
        std::vector<new_row> rows;
        std::vector<outbox::settlement> batch;
        for (const auto& id : ids) {
            rows.push_back({.id = id});
            batch.push_back(failed(id, 4));
        }
        table.insert(rows);
        const auto one = table.open();
        const auto other = table.open();
        auto theirs = std::async(std::launch::async, [&] { return other->settle(batch); });
        const auto ours = one->settle(batch);
        CHECK(ours + theirs.get() == ids.size());
        CHECK(sorted(filed(*one)) == ids);
    }
}

TEST_CASE("several that file at once in a ledger that makes no ids never take the same") {
    table_view table(shape::classic_ledger);
    constexpr std::size_t filers = 4, rounds = 25;
    const auto ids = numbered(filers * rounds);
    std::vector<new_row> rows;
    for (const auto& id : ids) rows.push_back({.id = id});
    table.insert(rows);
    std::vector<std::future<strings>> all;
    for (std::size_t filer = 0; filer < filers; ++filer) {
        all.push_back(std::async(std::launch::async, [&, filer] {
            strings lost;
            const auto store = table.open();
            for (std::size_t i = 0; i < rounds; ++i) {
                store->settle(std::array{failed(ids[filer * rounds + i], 4)});
                if (const auto why = store->unfiled()) lost.push_back(*why);
            }
            return lost;
        }));
    }
    for (auto& one : all) CHECK(one.get() == strings{});
    CHECK(sorted(filed(*table.open())) == ids);
}

TEST_CASE("a classic ledger takes what its columns have room for, and an id too long for it names no other message") {
    table_view table(shape::classic_ledger);
    const std::string long_id = std::string(36, 'i') + "-and-more", long_text(120, 't');
    table.insert(std::vector<new_row>{{.id = long_id, .exchange = long_text, .routing_key = long_text},
                                      {.id = std::string(36, 'i')},
                                      {.id = "😀", .exchange = "ü😀", .routing_key = "漢"}});
    table.execute("UPDATE {} SET order_key = " + table.on().text(long_text) +
                  " WHERE id = " + table.on().text(long_id));
    const auto store = table.open();
    REQUIRE(store->settle(std::array{failed(long_id, 4, std::string(100'000, 'r'))}) == 1);
    CHECK_FALSE(store->unfiled());
    const auto one = only(*store);
    CHECK(one.message_id == std::string(36, 'i'));
    CHECK(one.exchange == std::string(50, 't'));
    CHECK(one.routing_key == std::string(50, 't'));
    CHECK(one.key == std::string(50, 't'));
    CHECK(one.reason == std::string(100'000, 'r'));
    CHECK_FALSE(one.filed);

    REQUIRE(store->settle(std::array{failed(std::string(36, 'i'), 4), failed("😀", 4)}) == 2);
    CHECK(store->unfiled().value_or("nothing") == "nothing");
    CHECK(filed(*store).size() == 3);
    CHECK(store->retry_entry(one.id) == ledger_retry::gone);
    CHECK(table.status_of(std::string(36, 'i')) == 2);
}

TEST_CASE("headers that are no JSON keep a failure neither from being settled nor from being filed") {
    table_view table(shape::nine);
    table.open()->migrate();  // for the ledger
    table.execute("ALTER TABLE {} ADD COLUMN headers text");
    const std::array<std::string, 6> texts{"", "{", "no json", "{\"a\": 1", "'", "[1] 2"};
    std::vector<outbox::settlement> batch;
    for (const auto& text : texts) {
        table.insert({.id = "id:" + text});
        table.execute("UPDATE {} SET headers = " + table.on().text(text) +
                      " WHERE id = " + table.on().text("id:" + text));
        batch.push_back(failed("id:" + text, 1));
    }
    const auto store = table.open();
    CHECK(store->settle(batch) == texts.size());
    CHECK_FALSE(store->unfiled());
    const auto all = store->entries(std::nullopt, 100);
    CHECK(all.size() == texts.size());
    for (const auto& one : all) {
        if (one.headers) CHECK(json::parse(*one.headers) == one.message_id.substr(3));
    }
}

TEST_CASE("a reason that is no text is filed all the same") {
    table_view table;
    table.insert({.id = "a"});
    const auto store = table.open();
    REQUIRE(store->settle(std::array{failed("a", 4, "404 \xFF\xC3(")}) == 1);
    CHECK(only(*store).reason.starts_with("404 "));
}

TEST_CASE("times that no date can say are filed as none") {
    table_view table;
    table.insert(std::vector<new_row>{{.id = "a", .create_time = -1},
                                      {.id = "b", .create_time = std::numeric_limits<std::int64_t>::max()},
                                      {.id = "c", .create_time = 0}});
    const auto store = table.open();
    CHECK(store->settle(std::array{failed("a", 4), failed("b", 4), failed("c", 4)}) == 3);
    CHECK_FALSE(store->unfiled());
    const auto all = store->entries(std::nullopt, 10);
    REQUIRE(all.size() == 3);
    for (const auto& one : all)
        CHECK(one.message_created ==
              (one.message_id == "c" ? std::optional<std::string>("1970-01-01T00:00:00Z") : std::nullopt));
}

}  // namespace
