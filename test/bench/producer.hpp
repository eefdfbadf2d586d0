#pragma once
// test/bench/producer.hpp - an application that inserts messages at some average pace, over a connection of its own.

#include <chrono>
#include <string>
#include <vector>

#include "test/support/database.hpp"

namespace bench {

struct pace {
    int transactions_per_second = 200;
    int rows_per_transaction = 1;
};

struct transaction_times {
    std::chrono::steady_clock::time_point began;
    std::chrono::steady_clock::time_point committed;  // as the application learns of it
};

/// When each of so many independent events happens, from the start on: at random, for nobody's customers come by the
/// clock. The same at every call.
std::vector<std::chrono::microseconds> random_times(std::size_t count, int per_second);

/// Inserts for so long; row n of it carries number n. Blocks.
std::vector<transaction_times> produce(const support::table& into, const std::string& queue, const pace& at,
                                       std::chrono::milliseconds length);

}  // namespace bench
