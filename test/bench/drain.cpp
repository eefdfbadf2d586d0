#include "test/bench/bare.hpp"
#include "test/bench/benches.hpp"

namespace bench {
namespace {

struct drain_rates {
    std::vector<double> sidecar;
    std::vector<double> bare;
    std::vector<double> cpu_us;
};

drained drain_round(scene& at, const std::string& queue_type, std::size_t rows, const message_shape& of,
                    const nlohmann::json& more = nlohmann::json::object()) {
    const own_queue queue(at.broker, queue_type, more);
    const auto table = support::table::recommended();
    fill(at.server, table, queue.name(), rows, of);
    return drain(at.server, table, rows);
}

drain_rates compare_drains(scene& at, const std::string& queue_type, std::size_t rows, const message_shape& of) {
    drain_rates rates;
    for (int round = 0; round < at.of.rounds; ++round) {
        const own_queue queue(at.broker, queue_type);
        rates.bare.push_back(bare_publisher_rate(queue.name(), rows, of));
        const auto [rate, cpu_us] = drain_round(at, queue_type, rows, of);
        rates.sidecar.push_back(rate);
        rates.cpu_us.push_back(cpu_us);
    }
    return rates;
}

}  // namespace

std::vector<figure> drain_quorum_256(scene& at) {
    const auto rates = compare_drains(at, "quorum", at.of.quorum_256, {256, false});
    return {compared("drain_quorum_256", "rows/s", rates.sidecar, rates.bare, {better::more, 0.8, 0.95}),
            alone("cpu_per_message", "us", rates.cpu_us, {better::less, 15, 6})};
}

// What the sidecar itself loses: a publisher that has the machine's cores to itself pays nothing for the database.
std::vector<figure> drain_shared(scene& at) {
    const auto beside_pair = [&](const std::string& name, std::size_t rows, const message_shape& of) {
        std::vector<double> pair, sidecar;
        for (int round = 0; round < at.of.rounds; ++round) {
            {
                const own_queue queue(at.broker, "quorum");
                const auto table = support::table::recommended();
                fill(at.server, table, queue.name(), rows, of);
                pair.push_back(bare_pair_rate(queue.name(), at.server, table, rows, of));
            }
            sidecar.push_back(drain_round(at, "quorum", rows, of).rate);
        }
        return compared(name, "rows/s", sidecar, pair, {better::more, 0.8, 0.95});
    };
    return {beside_pair("drain_shared_256", at.of.quorum_256, {256, false}),
            beside_pair("drain_shared_4k", at.of.quorum_4k, {4096, true})};
}

std::vector<figure> drain_classic_256(scene& at) {
    const auto rates = compare_drains(at, "classic", at.of.classic_256, {256, false});
    return {compared("drain_classic_256", "rows/s", rates.sidecar, rates.bare, {better::more, 0.9, 1.0})};
}

std::vector<figure> drain_1k(scene& at) {
    const auto rates = compare_drains(at, "quorum", at.of.quorum_1k, {1024, true});
    return {compared("drain_1k", "rows/s", rates.sidecar, rates.bare, {better::more, 0.75, 0.9})};
}

std::vector<figure> drain_4k(scene& at) {
    const auto rates = compare_drains(at, "quorum", at.of.quorum_4k, {4096, true});
    return {compared("drain_4k", "rows/s", rates.sidecar, rates.bare, {better::more, 0.75, 0.9})};
}

// RabbitMQ slows down as a queue grows, and a quorum queue writes everything a second time once its log is full: for
// the bare publisher too. So this queue is a classic one that keeps the last messages only.
std::vector<figure> growth_backlog(scene& at) {
    const nlohmann::json bounded = {{"x-max-length", 1'000}};
    std::vector<double> large, small;
    for (int round = 0; round < at.of.rounds; ++round) {
        small.push_back(drain_round(at, "classic", at.of.backlog_small, {}, bounded).rate);
        large.push_back(drain_round(at, "classic", at.of.backlog_large, {}, bounded).rate);
    }
    return {compared("growth_backlog", "rows/s", large, small, {better::more, 0.9, 1.0})};
}

std::vector<figure> growth_settled(scene& at) {
    const auto full = support::table::recommended();
    fill_settled(at.server, full, at.of.settled);
    std::vector<double> with, without;
    for (int round = 0; round < at.of.rounds; ++round) {
        without.push_back(drain_round(at, "quorum", at.of.backlog_small, {}).rate);
        const own_queue queue(at.broker, "quorum");
        fill(at.server, full, queue.name(), at.of.backlog_small);
        with.push_back(drain(at.server, full, at.of.backlog_small).rate);
    }
    return {compared("growth_settled", "rows/s", with, without, {better::more, 0.9, 1.0})};
}

}  // namespace bench
