// What is still to be told of the ledger.
#include <doctest/doctest.h>

#include <array>

#include "test/contract/table_view.hpp"

namespace {

using contract::failed;
using contract::new_row;
using contract::numbered;
using contract::shape;
using contract::table_view;
using kind = outbox::notice_outcome::kind;
using strings = std::vector<std::string>;
using namespace std::chrono_literals;

void fail(table_view& table, outbox::store& store, const std::string& id) {
    table.insert(new_row{.id = id, .msg = "body of " + id});
    REQUIRE(store.settle(std::array{failed(id, 4, "reason of " + id)}) == 1);
}

strings due(outbox::store& store) {
    strings ids;
    for (const auto& one : store.due_notices(100)) ids.push_back(one.what.message_id);
    return ids;
}

std::string notices_of(table_view& table) {
    auto name = table.on().ledger();
    return name.replace(name.find("sys_mq_fail"), std::string::npos, "sys_mq_notice");
}

void file(table_view& table, int id, const std::string& message) {
    const auto no = table.on().flag(false);
    table.execute("INSERT INTO [] (id, topic, message_id, fail_flag, retry, last_retry_status) VALUES (" +
                  std::to_string(id) + ", 'ex', '" + message + "', " + no + ", 0, " + no + ")");
}

// As if everything had been found so long before.
void age(table_view& table, int minutes) {
    table.execute("UPDATE " + notices_of(table) + " SET seen_time = seen_time - " + std::to_string(minutes * 60'000));
}

TEST_CASE("what was in the ledger before the first look is not told, what comes later is, in its order") {
    table_view table;
    const auto store = table.open();
    REQUIRE(store->has_notices());
    fail(table, *store, "before");
    CHECK(store->note_entries(10) == 0);
    CHECK(due(*store).empty());
    for (const auto& id : {"a", "b", "c"}) fail(table, *store, id);
    CHECK(store->note_entries(2) == 2);
    CHECK(store->note_entries(2) == 1);
    CHECK(store->note_entries(2) == 0);
    CHECK(due(*store) == strings{"a", "b", "c"});
    CHECK(store->count_notices(100) == 3);
    CHECK(store->count_notices(2) == 2);

    const auto one = store->due_notices(1).front();
    CHECK(one.tries == 0);
    CHECK(one.try_count == 4);
    CHECK(one.what.reason == "reason of a");
    CHECK(store->payload_start(one.what.id, 100) == "body of a");
    CHECK(store->payload_start(one.what.id, 4) == "body");
    CHECK_FALSE(store->payload_start(one.what.id + 1'000'000, 4));
}

TEST_CASE("an entry is told until it is recorded as told, by whichever connection, and given up or put off likewise") {
    table_view table;
    const auto store = table.open();
    store->note_entries(10);
    for (const auto& id : {"told", "again", "deferred", "given up", "untold"}) fail(table, *store, id);
    store->note_entries(10);
    const auto all = table.open()->due_notices(10);
    REQUIRE(all.size() == 5);
    const auto id = [&](std::size_t which) { return all[which].what.id; };
    const std::string reason = std::string(300, 'x') + "ü";
    store->record_notices(std::array<outbox::notice_outcome, 5>{{{id(0), kind::told, 0ms, true, ""},
                                                                 {id(1), kind::again, 0ms, true, reason},
                                                                 {id(2), kind::again, 1h, false, "resting"},
                                                                 {id(3), kind::given_up, 0ms, true, "410"},
                                                                 {id(4), kind::untold, 0ms, false, ""}}});
    const auto later = table.open();
    CHECK(due(*later) == strings{"again"});
    CHECK(later->due_notices(10).front().tries == 1);
    CHECK(later->count_notices(10) == 2);
    // What is over stays so.
    later->record_notices(std::array<outbox::notice_outcome, 2>{
        {{id(0), kind::again, 0ms, true, ""}, {id(3), kind::again, 0ms, true, ""}}});
    CHECK(due(*store) == strings{"again"});
    CHECK(store->note_entries(10) == 0);
}

TEST_CASE("an entry that is committed late, with a lower id than others, is told") {
    table_view table(shape::classic_ledger);
    const auto store = table.open();
    file(table, 10, "m10");
    store->note_entries(10);
    file(table, 20, "m20");
    CHECK(store->note_entries(10) == 1);
    file(table, 15, "m15");
    CHECK(store->note_entries(10) == 1);
    CHECK(due(*store) == strings{"m20", "m15"});
}

TEST_CASE("what is told is cleared away when nothing can come late below it any more, and is not told again") {
    table_view table(shape::classic_ledger);
    const auto store = table.open();
    store->note_entries(10);
    for (const auto& id : numbered(5)) fail(table, *store, id);
    store->note_entries(10);
    auto all = store->due_notices(10);
    REQUIRE(all.size() == 5);
    std::vector<outbox::notice_outcome> outcomes;
    for (std::size_t i = 0; i < 5; ++i)
        if (i != 1) outcomes.push_back({all[i].what.id, i == 2 ? kind::given_up : kind::told, 0ms, true, ""});
    store->record_notices(outcomes);
    CHECK(store->forget_notices() == 0);
    age(table, 6);
    CHECK(store->forget_notices() >= 2);  // the first and the fourth; the fifth is the mark
    CHECK(store->forget_notices() == 0);
    CHECK(store->note_entries(10) == 0);
    CHECK(due(*store) == strings{numbered(5)[1]});  // still to be told
    fail(table, *store, "new");
    CHECK(store->note_entries(10) == 1);
    CHECK(due(*store) == strings{numbered(5)[1], "new"});
}

TEST_CASE("an entry that was deleted is not told") {
    table_view table;
    const auto store = table.open();
    store->note_entries(10);
    fail(table, *store, "a");
    fail(table, *store, "b");
    store->note_entries(10);
    table.execute("DELETE FROM [] WHERE id = " + std::to_string(store->due_notices(1).front().what.id));
    CHECK(due(*store) == strings{"b"});
    CHECK(store->count_notices(10) == 1);
}

TEST_CASE("a ledger that was emptied begins anew, also with ids that were there before") {
    table_view table(shape::classic_ledger);
    const auto store = table.open();
    fail(table, *store, "a");
    store->note_entries(10);
    fail(table, *store, "b");
    store->note_entries(10);
    table.execute("DELETE FROM []");
    CHECK(store->note_entries(10) == 0);
    CHECK(due(*store).empty());
    file(table, 1, "first");
    CHECK(store->note_entries(10) == 1);
    CHECK(due(*store) == strings{"first"});
}

TEST_CASE("of the failures of other outboxes nothing is told") {
    table_view ours, theirs;
    const auto here = ours.open();
    const auto there = theirs.open();
    here->note_entries(10);
    there->note_entries(10);
    fail(theirs, *there, "theirs");
    fail(ours, *here, "ours");
    here->note_entries(10);
    there->note_entries(10);
    CHECK(due(*here) == strings{"ours"});
    CHECK(due(*there) == strings{"theirs"});
}

TEST_CASE("without its table nothing can be told, and everything else works") {
    table_view table(shape::classic_ledger);
    table.execute("DROP TABLE " + notices_of(table));
    const auto store = table.open();
    CHECK(store->has_ledger());
    CHECK_FALSE(store->has_notices());
    fail(table, *store, "a");
    CHECK(store->entries(std::nullopt, 10).size() == 1);
}

}  // namespace
