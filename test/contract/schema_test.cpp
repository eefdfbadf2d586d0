// What `migrate` makes is the same everywhere: whoever knows the tables on one kind of database knows them on all.
#include <doctest/doctest.h>

#include "test/contract/table_view.hpp"

namespace {

using contract::column_facts;
using contract::make_subject;
using columns = std::vector<column_facts>;

constexpr bool nullable = true, required = false;
constexpr bool filled_in = true, given = false;

void check_equal(const columns& found, const columns& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(expected[i].name);
        CHECK(found[i].name == expected[i].name);
        CHECK(found[i].nullable == expected[i].nullable);
        CHECK(found[i].filled_in == expected[i].filled_in);
        CHECK(found[i].place_in_key == expected[i].place_in_key);
    }
}

TEST_CASE("the outbox has the same columns on every kind of database") {
    const auto subject = make_subject();
    check_equal(subject->columns(subject->table()), {{"id", required, filled_in, 1},
                                                     {"msg", required, given, 0},
                                                     {"exchange", required, filled_in, 0},
                                                     {"routing_key", required, filled_in, 0},
                                                     {"status", required, filled_in, 0},
                                                     {"try_count", required, filled_in, 0},
                                                     {"next_try_time", nullable, filled_in, 0},
                                                     {"create_time", nullable, filled_in, 0},
                                                     {"update_time", nullable, filled_in, 0},
                                                     {"headers", nullable, given, 0},
                                                     {"properties", nullable, given, 0},
                                                     {"order_key", nullable, given, 0},
                                                     {"last_error", nullable, given, 0}});
}

TEST_CASE("the table of leases has the same columns on every kind of database") {
    check_equal(make_subject()->columns("msg_lane"), {{"table_name", required, given, 1},
                                                      {"lane", required, given, 2},
                                                      {"lanes", required, given, 0},
                                                      {"owner", required, filled_in, 0},
                                                      {"epoch", required, filled_in, 0},
                                                      {"expires", required, filled_in, 0},
                                                      {"wanted_by", required, filled_in, 0}});
}

TEST_CASE("the ledger has the same columns on every kind of database") {
    const auto subject = make_subject();
    check_equal(subject->columns(subject->ledger()), {{"id", required, filled_in, 1},
                                                      {"custom_message_id", nullable, given, 0},
                                                      {"tags", nullable, given, 0},
                                                      {"topic", required, given, 0},
                                                      {"message_id", nullable, given, 0},
                                                      {"message_key", nullable, given, 0},
                                                      {"message_create_time", nullable, given, 0},
                                                      {"headers", nullable, given, 0},
                                                      {"payload", nullable, given, 0},
                                                      {"ex_content", nullable, given, 0},
                                                      {"fail_flag", required, given, 0},
                                                      {"retry", required, given, 0},
                                                      {"last_retry_status", required, given, 0},
                                                      {"source", nullable, given, 0},
                                                      {"properties", nullable, given, 0},
                                                      {"create_time", nullable, given, 0},
                                                      {"retry_time", nullable, given, 0}});
}

TEST_CASE("what is told of the ledger has the same columns on every kind of database") {
    check_equal(make_subject()->columns("sys_mq_notice"), {{"table_name", required, given, 1},
                                                           {"entry", required, given, 2},
                                                           {"state", required, given, 0},
                                                           {"tries", required, given, 0},
                                                           {"next_try_time", required, given, 0},
                                                           {"seen_time", required, given, 0},
                                                           {"last_error", nullable, given, 0}});
}

TEST_CASE("migrations have the same numbers and names on every kind of database") {
    std::vector<std::pair<int, std::string>> all;
    for (const auto& one : make_subject()->open()->migration_status()) all.emplace_back(one.number, one.name);
    CHECK(all == std::vector<std::pair<int, std::string>>{
                     {1, "msg_log"}, {2, "msg_lane"}, {3, "sys_mq_fail"}, {4, "sys_mq_notice"}});
}

}  // namespace
