#pragma once
// relay/random_source.hpp - the source of randomness that is handed to whatever needs one: uniform in [0, 1).

#include <functional>
#include <memory>
#include <random>

namespace relay {

using random_source = std::function<double()>;

/// A source of its own for one thread; the same seed gives the same numbers.
inline random_source seeded_source(std::uint64_t seed) {
    return [engine = std::make_shared<std::mt19937_64>(seed)] {
        return std::uniform_real_distribution<double>(0.0, 1.0)(*engine);
    };
}

}  // namespace relay
