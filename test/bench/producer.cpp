#include "test/bench/producer.hpp"

#include <fmt/format.h>

#include <random>
#include <thread>

#include "test/bench/scene.hpp"

namespace bench {

std::vector<std::chrono::microseconds> random_times(std::size_t count, int per_second) {
    std::mt19937_64 engine(1);
    std::exponential_distribution<double> pause(per_second);
    std::vector<std::chrono::microseconds> times;
    double seconds = 0;
    for (std::size_t i = 0; i < count; ++i)
        times.emplace_back(static_cast<std::int64_t>(1e6 * (seconds += pause(engine))));
    return times;
}

std::vector<transaction_times> produce(const support::table& into, const std::string& queue, const pace& at,
                                       std::chrono::milliseconds length) {
    support::database server;
    const auto count = static_cast<std::size_t>(length.count() * at.transactions_per_second / 1'000);
    const auto when = random_times(count, at.transactions_per_second);
    const auto start = std::chrono::steady_clock::now();
    std::vector<transaction_times> times;
    std::size_t number = 0;
    for (std::size_t i = 0; i < count; ++i) {
        auto sql = "INSERT INTO " + into.name() + " (msg, routing_key) VALUES ";
        for (int row = 0; row < at.rows_per_transaction; ++row)
            sql += fmt::format("{}('{}','{}')", row > 0 ? "," : "", body_of(number++, 256), queue);
        std::this_thread::sleep_until(start + when[i]);
        const auto began = std::chrono::steady_clock::now();
        server.execute(sql);
        times.push_back({began, std::chrono::steady_clock::now()});
    }
    return times;
}

}  // namespace bench
