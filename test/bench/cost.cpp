#include <future>
#include <thread>

#include "test/bench/bare.hpp"
#include "test/bench/benches.hpp"
#include "test/bench/producer.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

double to_ms(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

// Several applications at once; the p99 of their one-row transactions.
double insert_p99(const support::table& into, const std::string& queue, std::chrono::milliseconds length) {
    std::vector<std::future<std::vector<transaction_times>>> applications;
    for (int i = 0; i < 4; ++i) {
        applications.push_back(std::async(std::launch::async, [&] {
            return produce(into, queue, {.transactions_per_second = 100, .rows_per_transaction = 1}, length);
        }));
    }
    std::vector<double> all;
    for (auto& one : applications) {
        for (const auto& [began, committed] : one.get()) all.push_back(to_ms(committed - began));
    }
    return quantile(all, 0.99);
}

struct rest_cost {
    std::vector<double> queries;  // a second
    std::vector<double> percent;  // of one core
};

rest_cost at_rest(scene& at, running_sidecar& sidecar) {
    std::this_thread::sleep_for(at.of.idle);
    rest_cost cost;
    for (int round = 0; round < at.of.rounds; ++round) {
        const auto began = std::chrono::steady_clock::now();
        const auto questions = counter(at.server, "Questions");
        const double cpu = sidecar.cpu_seconds();
        std::this_thread::sleep_for(at.of.idle);
        const double used = sidecar.cpu_seconds() - cpu;
        const auto asked = counter(at.server, "Questions") - questions - 1;  // the last one is this question itself
        const double seconds = to_ms(std::chrono::steady_clock::now() - began) / 1'000;
        cost.queries.push_back(static_cast<double>(asked) / seconds);
        cost.percent.push_back(100 * used / seconds);
    }
    sidecar.stop();
    return cost;
}

}  // namespace

std::vector<figure> memory_large_bodies(scene& at) {
    // Queues that keep but a few of them.
    const own_queue queue(at.broker, "classic", {{"x-max-length", 10}});
    const auto table = support::table::recommended();
    constexpr std::size_t rows_at_once = 100;
    for (std::size_t rows = 0; rows < at.of.large_bodies; rows += rows_at_once)
        fill(at.server, table, queue.name(), rows_at_once, {1'000'000, false});
    const auto settled = counter(at.server, "Handler_update");
    running_sidecar sidecar(table);
    while (counter(at.server, "Handler_update") - settled < static_cast<std::int64_t>(at.of.large_bodies))
        std::this_thread::sleep_for(50ms);
    const double peak = sidecar.peak_mb();
    const double window = static_cast<double>(conf::relay{}.window_bytes.count) / 1e6;
    return {alone("memory_large_bodies", "MB", {peak}, {better::less, window + 40, window + 20})};
}

std::vector<figure> memory_peak(scene& at) {
    if (highest_peak_mb() == 0) drain_quorum_256(at);
    return {alone("memory_peak", "MB", {highest_peak_mb()}, {better::less, 40, 20})};
}

std::vector<figure> idle(scene& at) {
    const auto table = support::table::recommended();
    running_sidecar sidecar(table);
    sidecar.wait_until_connected();
    const auto [queries, percent] = at_rest(at, sidecar);
    return {alone("idle_queries", "/s", queries, {better::less, 20, 10}),
            alone("idle_cpu", "%", percent, {better::less, 0.5, 0.2})};
}

std::vector<figure> standby(scene& at) {
    const auto table = support::table::recommended();
    // Somebody has the lane who asks nothing, so that all queries are the standby's.
    at.server.execute(table.in(
        "INSERT INTO msg_lane (table_name, lane, lanes, owner, epoch, expires) VALUES ('{}', 0, 1, 'somebody', "
        "1, 9000000000000)"));
    running_sidecar sidecar(table);
    sidecar.wait_until("standing_by");
    const auto [queries, percent] = at_rest(at, sidecar);
    return {alone("standby_queries", "/s", queries, {better::less, 1, 1}),
            alone("standby_cpu", "%", percent, {better::less, 0.5, 0.2})};
}

std::vector<figure> inserts(scene& at) {
    const own_queue queue(at.broker, "quorum");
    std::vector<double> with, without, lock_waits;
    for (int round = 0; round < at.of.rounds; ++round) {
        const auto alone_there = support::table::recommended();
        without.push_back(insert_p99(alone_there, queue.name(), at.of.latency));

        const auto table = support::table::recommended();
        fill_settled(at.server, table, at.of.old_rows / 5, 24h * 40);
        fill(at.server, table, queue.name(), at.of.quorum_256);
        const auto waits = counter(at.server, "Innodb_row_lock_waits");
        running_sidecar sidecar(table), purge(table, "purge");
        with.push_back(insert_p99(table, queue.name(), at.of.latency));
        sidecar.stop();
        lock_waits.push_back(static_cast<double>(counter(at.server, "Innodb_row_lock_waits") - waits));
    }
    // Not the median: a single wait is one too many.
    auto waits = alone("insert_lock_waits", "", {quantile(lock_waits, 1)}, {better::less, 0, 0});
    return {waits, compared("insert_p99", "ms", with, without, {})};
}

std::vector<figure> start(scene& at) {
    std::vector<double> times;
    for (int round = 0; round < at.of.rounds; ++round) {
        const own_queue queue(at.broker, "quorum");
        const auto table = support::table::recommended();
        fill(at.server, table, queue.name(), 1);
        const bare_consumer consumer(queue.name(), 2);
        const auto began = std::chrono::steady_clock::now();
        running_sidecar sidecar(table);
        consumer.await(1);
        times.push_back(to_ms(consumer.arrival(1) - began));  // fill() counts from 1
        sidecar.stop();
    }
    return {alone("start", "ms", times, {better::less, 300, 100})};
}

}  // namespace bench
