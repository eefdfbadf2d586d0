#include <doctest/doctest.h>

#include <ctime>

#include "relay/publisher.hpp"

using namespace std::chrono_literals;

namespace {

std::chrono::nanoseconds processor_time() {
    std::timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

TEST_CASE("while there is no broker, waiting for one costs nothing, and ends when it is asked to") {
    conf::broker settings;
    settings.urls = {"amqp://guest:guest@127.0.0.1:1/"};
    settings.reconnect_initial = 1s;
    relay::observer nobody;
    const auto publisher = relay::make_publisher(
        settings, {}, 10, [] { return 0.5; }, nobody);
    const relay::steady_clock clock;
    std::vector<relay::attempt> outcomes;
    publisher->poll(0ms, outcomes);  // tries to connect
    CHECK(publisher->state() == relay::link::down);
    const auto began = clock.now();
    const auto used_before = processor_time();
    publisher->poll(100ms, outcomes);
    CHECK(clock.now() - began >= 90ms);
    CHECK(processor_time() - used_before < 50ms);
    publisher->wake();
    const auto woken = clock.now();
    publisher->poll(10s, outcomes);
    CHECK(clock.now() - woken < 1s);
}
