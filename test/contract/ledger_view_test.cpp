// What an operator sees of the ledger and deletes from it, and its retention.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::failed;
using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using outbox::failure_group;
using outbox::ledger_entry;
using outbox::ledger_filter;
using side = ledger_entry::side;
using strings = std::vector<std::string>;
using namespace std::chrono_literals;

strings ids_of(outbox::store& store, const ledger_filter& filter = {}, std::size_t limit = 1'000) {
    strings ids;
    std::optional<std::int64_t> before;
    for (;;) {
        const auto page = store.entries(filter, before, limit);
        for (const auto& one : page) ids.push_back(one.message_id);
        if (page.size() < limit) return ids;
        before = page.back().id;
    }
}

std::int64_t entry_of(outbox::store& store, const std::string& id) {
    for (const auto& one : store.entries(std::nullopt, 100'000)) {
        if (one.message_id == id) return one.id;
    }
    FAIL("no entry of " << id);
    return 0;
}

void file(outbox::store& store, const std::string& id, const std::string& reason) {
    outbox::consumer_failure one;
    one.message_id = id;
    one.exchange = "orders";
    one.routing_key = "created";
    one.payload = "body";
    one.reason = reason;
    REQUIRE(store.file_failure(one, false));
}

void file_failed(table_view& table, outbox::store& store, const std::vector<new_row>& rows,
                 const std::string& reason = "why") {
    table.insert(rows);
    std::vector<outbox::settlement> batch;
    for (const auto& one : rows) batch.push_back(failed(one.id, 4, reason));
    REQUIRE(store.settle(batch) == rows.size());
}

void set_filed(table_view& table, outbox::store& store, const std::string& id, const std::string& time) {
    table.execute("UPDATE [] SET create_time = " + time + " WHERE id = " + std::to_string(entry_of(store, id)));
}

TEST_CASE("each condition on the ledger holds, alone and with the others, in pages of any size") {
    table_view table;
    const auto store = table.open();
    file_failed(table, *store, {{.id = "a", .exchange = "x", .routing_key = "k"}}, "312 NO_ROUTE");
    file_failed(table, *store, {{.id = "b", .exchange = "x", .routing_key = "l"}}, "404 NOT_FOUND");
    file_failed(table, *store, {{.id = "c", .exchange = "", .routing_key = "k"}}, "312 NO_ROUTE ü%_");
    file(*store, "d", "rejected");
    const std::array times{10, 20, 30, 40};
    const std::array names{"a", "b", "c", "d"};
    for (std::size_t i = 0; i < names.size(); ++i) set_filed(table, *store, names[i], std::to_string(times[i]));

    const auto check = [&](const ledger_filter& filter, const strings& expected) {
        CHECK(ids_of(*store, filter) == expected);
        CHECK(ids_of(*store, filter, 1) == expected);
        CHECK(ids_of(*store, filter, 2) == expected);
        CHECK(store->count_entries(filter, 100) == expected.size());
        CHECK(store->count_entries(filter, 1) == std::min<std::size_t>(1, expected.size()));
        CHECK(store->failure_groups(filter, 100, 100).looked_at == expected.size());
    };
    check({}, {"d", "c", "b", "a"});
    check({.side = side::consumer}, {"d"});
    check({.side = side::producer}, {"c", "b", "a"});
    check({.exchange = "x"}, {"b", "a"});
    check({.exchange = "X"}, {});
    check({.exchange = ""}, {"c"});
    check({.routing_key = "k"}, {"c", "a"});
    check({.message_id = "b"}, {"b"});
    check({.message_id = "B"}, {});
    check({.reason = "NO"}, {"c", "b", "a"});
    check({.reason = "ü%_"}, {"c"});
    check({.reason = "%"}, {"c"});
    check({.reason = "no_route"}, {});
    check({.since = 20}, {"d", "c", "b"});
    check({.before = 20}, {"a"});
    const ledger_filter all{.side = side::producer,
                            .exchange = "x",
                            .routing_key = "k",
                            .message_id = "a",
                            .reason = "312",
                            .since = 10,
                            .before = 11};
    check(all, {"a"});
    for (auto change : std::array<void (*)(ledger_filter&), 7>{
             [](ledger_filter& f) { f.side = side::consumer; }, [](ledger_filter& f) { f.exchange = "y"; },
             [](ledger_filter& f) { f.routing_key = "l"; }, [](ledger_filter& f) { f.message_id = "b"; },
             [](ledger_filter& f) { f.reason = "404"; }, [](ledger_filter& f) { f.since = 11; },
             [](ledger_filter& f) { f.before = 10; }}) {
        auto but_one = all;
        change(but_one);
        check(but_one, {});
    }
}

TEST_CASE("a narrow classic ledger is filtered by what it has, and does not say when anything was filed") {
    table_view table(shape::classic_ledger);
    const auto store = table.open();
    const std::string long_id = std::string(36, 'i') + "-and-more";
    file_failed(table, *store, {{.id = "a", .exchange = "x"}, {.id = long_id, .exchange = "y"}}, "312 NO_ROUTE");
    file(*store, "c", "rejected");
    CHECK(ids_of(*store, {.exchange = "x"}) == strings{"a"});
    CHECK(ids_of(*store, {.message_id = "a"}) == strings{"a"});
    CHECK(ids_of(*store, {.message_id = std::string(36, 'i')}) == strings{std::string(36, 'i')});
    CHECK(ids_of(*store, {.side = side::consumer}) == strings{"c"});
    CHECK(ids_of(*store, {.reason = "NO_ROUTE"}).size() == 2);
    CHECK(ids_of(*store, {.since = 0}).empty());
    CHECK(store->count_entries({.before = 1}, 10) == 0);
    const auto groups = store->failure_groups({}, 100, 10);
    CHECK(groups.looked_at == 3);
    for (const auto& one : groups.groups) CHECK_FALSE(one.oldest);
    CHECK(store->remove_entries(std::array{entry_of(*store, "a")}) == 1);
    CHECK(store->count_entries({}, 10) == 2);
    CHECK_FALSE(store->purge_ledger(0ms, 10));
    CHECK_FALSE(store->purgeable_in_ledger(0ms));
    CHECK(store->count_entries({}, 10) == 2);
}

TEST_CASE("failures are grouped by side, exchange and cause, the most first") {
    table_view table;
    const auto store = table.open();
    file_failed(table, *store, {{.id = "a"}, {.id = "b"}, {.id = "c"}}, "312 NO_ROUTE");
    file_failed(table, *store, {{.id = "d"}}, std::string("too large\nand more"));
    const auto letter = [](const std::string& deaths, const std::string& id, const std::string& more) {
        return "rejected in queue 'q'" + deaths + "; from dead-letter queue 'dlq'; redriven twice; letter " + id + more;
    };
    file(*store, "e", letter("", "1", "\nno stock\nat line 7"));
    file(*store, "f", letter(", 3 deaths", "2", "\nno stock\nat line 9"));
    file(*store, "g", letter("", "3", ""));
    for (const auto& [id, time] :
         {std::pair{"a", "30"}, {"b", "10"}, {"c", "NULL"}, {"d", "5"}, {"e", "7"}, {"f", "8"}, {"g", "9"}})
        set_filed(table, *store, id, time);

    const auto all = store->failure_groups({}, 100, 10);
    CHECK(all.looked_at == 7);
    CHECK(all.complete);
    REQUIRE(all.groups.size() == 4);
    CHECK(all.groups[0] == failure_group{side::producer, "orders", "312 NO_ROUTE", 3, 10, 30});
    CHECK(all.groups[1] == failure_group{side::consumer, "orders", "rejected in queue 'q': no stock", 2, 7, 8});
    CHECK(all.groups[2] == failure_group{side::producer, "orders", "too large", 1, 5, 5});
    CHECK(all.groups[3] == failure_group{side::consumer, "orders", "rejected in queue 'q'", 1, 9, 9});

    const auto latest = store->failure_groups({}, 3, 1);
    CHECK(latest.groups.size() == 1);
    CHECK(latest.looked_at == 3);
    CHECK_FALSE(latest.complete);
    CHECK(store->failure_groups({}, 7, 10).complete);
}

TEST_CASE("more failures than a page of them holds are all looked at") {
    table_view table;
    const auto store = table.open();
    std::vector<new_row> rows;
    for (const auto& id : numbered(4'100)) rows.push_back({.id = id});
    file_failed(table, *store, rows);
    const auto all = store->failure_groups({}, 100'000, 10);
    CHECK(all.looked_at == rows.size());
    CHECK(all.complete);
    CHECK(all.groups.front().entries == rows.size());
    const auto some = store->failure_groups({}, 4'099, 10);
    CHECK(some.looked_at == 4'099);
    CHECK_FALSE(some.complete);
    outbox::message_filter messages;
    messages.status = 2;
    CHECK(store->groups(messages, 100'000, 10).looked_at == rows.size());
}

TEST_CASE("entries are deleted by number, each counted once, and their messages stay") {
    table_view table;
    const auto store = table.open();
    std::vector<new_row> rows;
    for (const auto& id : numbered(1'100)) rows.push_back({.id = id});
    file_failed(table, *store, rows);
    std::vector<std::int64_t> entries;
    for (const auto& one : store->entries(std::nullopt, 1'099)) entries.push_back(one.id);
    entries.push_back(entries.front());
    entries.push_back(-7);
    CHECK(store->remove_entries(entries) == 1'099);
    CHECK(store->remove_entries(entries) == 0);
    CHECK(store->remove_entries({}) == 0);
    CHECK(store->count_entries({}, 10) == 1);
    CHECK(table.number("SELECT COUNT(*) FROM {} WHERE status = 2") == 1'100);
}

TEST_CASE("entries that were filed longer ago than the retention are purged, in batches, the oldest first") {
    table_view table;
    const auto store = table.open();
    table.execute("DELETE FROM []");  // behind other tables' young entries no old one is looked for
    CHECK(store->purgeable_in_ledger(0ms) == 0U);
    std::vector<new_row> rows;
    for (const auto& id : numbered(10)) rows.push_back({.id = id});
    file_failed(table, *store, rows);
    const auto hours_ago = [&](const std::string& id, int hours) {
        set_filed(table, *store, id, table.on().now() + " - " + std::to_string(hours * 3'600'000LL));
    };
    for (const char* id : {"r00000", "r00001", "r00002", "r00005"}) hours_ago(id, 10);
    set_filed(table, *store, "r00003", "NULL");
    CHECK(store->purgeable_in_ledger(9h) == 4U);
    CHECK(store->purgeable_in_ledger(11h) == 0U);
    CHECK(store->purge_ledger(11h, 10) == 0U);
    CHECK(store->purge_ledger(9h, 3) == 3U);
    auto left = ids_of(*store);
    std::sort(left.begin(), left.end());
    CHECK(left.size() == 7);
    CHECK(std::find(left.begin(), left.end(), "r00005") != left.end());
    CHECK(store->purge_ledger(9h, 3) == 1U);
    CHECK(store->purge_ledger(9h, 3) == 0U);
    CHECK(store->count_entries({}, 100) == 6);
    CHECK(store->count_entries({.message_id = "r00003"}, 100) == 1);
}

TEST_CASE("outboxes that share a ledger filter, count, delete and purge their own entries alone") {
    table_view one, other;
    if (one.on().ledger() != other.on().ledger()) return;
    const auto ours = one.open();
    const auto theirs = other.open();
    one.execute("DELETE FROM []");
    file_failed(one, *ours, {{.id = "same"}});
    file_failed(other, *theirs, {{.id = "same"}});
    if (ours->entries(std::nullopt, 1).front().id == theirs->entries(std::nullopt, 1).front().id) return;  // two files
    const auto entry = entry_of(*theirs, "same");
    CHECK(ours->count_entries({.message_id = "same"}, 10) == 1);
    CHECK(ours->failure_groups({}, 10, 10).looked_at == 1);
    CHECK(ours->remove_entries(std::array{entry}) == 0);
    set_filed(one, *ours, "same", "1");
    set_filed(other, *theirs, "same", "1");
    CHECK(ours->purgeable_in_ledger(1h) == 1U);
    CHECK(ours->purge_ledger(1h, 10) == 1U);
    CHECK(theirs->count_entries({}, 10) == 1);
}

TEST_CASE("without a ledger there is nothing to see of it, nor to delete") {
    table_view table(shape::classic_ledger);
    table.execute("DROP TABLE []");
    const auto store = table.open();
    CHECK(store->entries({.side = side::producer}, std::nullopt, 10).empty());
    CHECK(store->count_entries({}, 10) == 0);
    CHECK(store->failure_groups({}, 10, 10).groups.empty());
    CHECK(store->remove_entries(std::array<std::int64_t, 1>{1}) == 0);
    CHECK_FALSE(store->purge_ledger(1h, 10));
    CHECK_FALSE(store->purgeable_in_ledger(1h));
}

}  // namespace
