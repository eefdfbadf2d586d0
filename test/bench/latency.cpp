#include "test/bench/bare.hpp"
#include "test/bench/benches.hpp"
#include "test/bench/producer.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

struct waits {
    double p50 = 0;  // ms
    double p99 = 0;
};

// Times of sending, of one or several messages each, against those of arrival. The first tenth is warming up.
waits waits_of(const std::vector<std::chrono::steady_clock::time_point>& sent, std::size_t messages_each,
               const bare_consumer& consumer) {
    std::vector<double> all;
    for (std::size_t n = sent.size() / 10; n < sent.size(); ++n) {
        for (std::size_t i = 0; i < messages_each; ++i)
            all.push_back(
                std::chrono::duration<double, std::milli>(consumer.arrival(n * messages_each + i) - sent[n]).count());
    }
    return {quantile(all, 0.5), quantile(all, 0.99)};
}

waits bare_waits(scene& at, std::chrono::milliseconds length) {
    const own_queue queue(at.broker, "quorum");
    const auto count = static_cast<std::size_t>(length.count() / 5);
    const bare_consumer consumer(queue.name(), count);
    const auto sent = publish_bare_paced(queue.name(), 200, count);
    consumer.await(count);
    return waits_of(sent, 1, consumer);
}

waits sidecar_waits(scene& at, const support::table& through, const pace& how, std::chrono::milliseconds length) {
    const own_queue queue(at.broker, "quorum");
    const auto each = static_cast<std::size_t>(how.rows_per_transaction);
    const auto transactions = static_cast<std::size_t>(length.count() * how.transactions_per_second / 1'000);
    const bare_consumer consumer(queue.name(), transactions * each);
    running_sidecar sidecar(through);
    sidecar.wait_until_connected();
    std::vector<std::chrono::steady_clock::time_point> committed;
    for (const auto& one : produce(through, queue.name(), how, length)) committed.push_back(one.committed);
    consumer.await(transactions * each);
    sidecar.stop();
    return waits_of(committed, each, consumer);
}

}  // namespace

std::vector<figure> latency(scene& at) {
    std::vector<double> p50, p99, bare_p50, bare_p99;
    for (int round = 0; round < at.of.rounds; ++round) {
        const auto bare = bare_waits(at, at.of.latency);
        const auto table = support::table::recommended();
        const auto ours = sidecar_waits(at, table, {}, at.of.latency);
        p50.push_back(ours.p50);
        p99.push_back(ours.p99);
        bare_p50.push_back(bare.p50);
        bare_p99.push_back(bare.p99);
    }
    return {above("latency_p50", "ms more", p50, bare_p50, {better::less, 6, 2}),
            above("latency_p99", "ms more", p99, bare_p99, {better::less, 15, 5})};
}

std::vector<figure> pinned_history(scene& at) {
    const auto pinned = support::table::recommended(), other = support::table::recommended();
    fill_settled(at.server, other, at.of.pinned);
    support::database reporting;  // a dump, a report: it goes on seeing the rows as they were
    reporting.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    fill(at.server, pinned, "nowhere", at.of.pinned);
    at.server.execute(pinned.in("UPDATE {} SET status = 1"));
    std::vector<double> with, without;
    for (int round = 0; round < at.of.rounds; ++round) {
        without.push_back(sidecar_waits(at, other, {}, at.of.latency).p99);
        with.push_back(sidecar_waits(at, pinned, {}, at.of.latency).p99);
    }
    reporting.execute("COMMIT");
    return {compared("pinned_history", "ms", with, without, {better::less, 2, 1.1})};
}

std::vector<figure> purge_latency(scene& at) {
    const auto table = support::table::recommended();
    fill_settled(at.server, table, at.of.old_rows, 24h * 40);
    const pace two_thousand{.transactions_per_second = 200, .rows_per_transaction = 10};
    std::vector<double> with, without;
    for (int round = 0; round < at.of.rounds; ++round) {
        without.push_back(sidecar_waits(at, table, two_thousand, at.of.latency).p99);
        const auto deleted = counter(at.server, "Handler_delete");
        running_sidecar purge(table, "purge");
        with.push_back(sidecar_waits(at, table, two_thousand, at.of.latency).p99);
        if (counter(at.server, "Handler_delete") == deleted) throw std::runtime_error("nothing was purged");
    }
    return {compared("purge_latency", "ms", with, without, {better::less, 2, 1.2})};
}

}  // namespace bench
