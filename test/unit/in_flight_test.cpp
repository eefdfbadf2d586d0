#include "relay/in_flight.hpp"

#include <doctest/doctest.h>

#include <array>

#include "relay/send_queue.hpp"

namespace relay {
namespace {

TEST_CASE("a row on its way is not taken up twice") {
    in_flight rows(10);
    rows.read_began();
    CHECK(rows.admit("a", 0));
    CHECK_FALSE(rows.admit("a", 0));
    CHECK(rows.admit("A", 0));
    CHECK(rows.admit("a ", 0));
    CHECK(rows.size() == 3);
}

TEST_CASE("a row that is settled during a read is not taken up by that read, but by the next") {
    in_flight rows(10);
    rows.read_began();
    rows.admit("a", 0);
    rows.read_ended();
    rows.read_began();  // its snapshot still shows the row as due
    rows.settled(std::array<std::string, 1>{"a"});
    CHECK_FALSE(rows.admit("a", 0));
    rows.read_ended();
    CHECK(rows.size() == 0);
    rows.read_began();
    CHECK(rows.admit("a", 0));
}

TEST_CASE("a row that is settled between reads may come again at once: an operator has requeued it") {
    in_flight rows(10);
    rows.read_began();
    rows.admit("a", 0);
    rows.read_ended();
    rows.settled(std::array<std::string, 1>{"a"});
    rows.read_began();
    CHECK(rows.admit("a", 0));
}

TEST_CASE("a released row is read again, also by the read under way") {
    in_flight rows(10);
    rows.read_began();
    rows.admit("a", 0);
    rows.released(std::array<std::string, 1>{"a"});
    CHECK(rows.admit("a", 0));
}

TEST_CASE("room counts every row that is on its way") {
    in_flight rows(2);
    rows.read_began();
    CHECK(rows.room() == 2);
    rows.admit("a", 0);
    rows.admit("b", 0);
    CHECK(rows.room() == 0);
    rows.settled(std::array<std::string, 1>{"a"});
    CHECK(rows.room() == 0);  // it still takes its place, until the read has ended
    rows.read_ended();
    CHECK(rows.room() == 1);
}

outbox::message sized(const std::string& id, std::size_t bytes) {
    outbox::message row;
    row.id = id;
    row.body = std::string(bytes, 'x');
    return row;
}

TEST_CASE("the send queue is bounded in bytes, but one larger body passes alone") {
    send_queue queue(
        100, [] {}, [] {});
    queue.open();
    CHECK(queue.has_room_for(1'000));
    CHECK(queue.push(sized("a", 60)));
    CHECK(queue.has_room_for(40));
    CHECK_FALSE(queue.has_room_for(41));
    queue.pop(1);
    CHECK(queue.has_room_for(1'000));
}

TEST_CASE("a shut queue gives its rows back and takes none") {
    send_queue queue(
        100, [] {}, [] {});
    CHECK_FALSE(queue.is_open());
    queue.open();
    queue.push(sized("a", 1));
    queue.push(sized("b", 1));
    CHECK(queue.shut() == std::vector<std::string>{"a", "b"});
    auto row = sized("c", 5);
    CHECK_FALSE(queue.push(std::move(row)));
    CHECK(row.body.size() == 5);  // NOLINT: untouched when refused
    CHECK(queue.pop(10).empty());
}

TEST_CASE("whoever waits for rows or for room is told") {
    int filled = 0, drained = 0;
    send_queue queue(
        100, [&] { ++filled; }, [&] { ++drained; });
    queue.open();
    CHECK(drained == 1);
    queue.push(sized("a", 1));
    CHECK(filled == 1);
    queue.pop(5);
    CHECK(drained == 2);
    queue.pop(5);
    CHECK(drained == 2);
}

}  // namespace
}  // namespace relay
