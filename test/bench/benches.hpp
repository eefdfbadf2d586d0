#pragma once
// test/bench/benches.hpp - the measurements. Each runs its own rounds, ceiling and figure in turns, because a machine
// is never the same for long.

#include <vector>

#include "test/bench/figure.hpp"
#include "test/bench/scene.hpp"

namespace bench {

struct scene {
    sizes of;
    support::database server{support::database::account::root};
    support::broker broker;
};

// drain.cpp: rates at full drain.
std::vector<figure> drain_quorum_256(scene& at);  // and cpu_per_message
std::vector<figure> drain_shared(scene& at);      // with 256 bytes and 4 KiB
std::vector<figure> drain_classic_256(scene& at);
std::vector<figure> drain_1k(scene& at);
std::vector<figure> drain_4k(scene& at);
std::vector<figure> growth_backlog(scene& at);
std::vector<figure> growth_settled(scene& at);

// database_side.cpp: with a broker that takes no time.
std::vector<figure> database_only(scene& at);

// latency.cpp: from commit to consumer.
std::vector<figure> latency(scene& at);  // p50 and p99
std::vector<figure> pinned_history(scene& at);
std::vector<figure> purge_latency(scene& at);

// cost.cpp: what it takes from the machine and from the application.
std::vector<figure> memory_large_bodies(scene& at);
std::vector<figure> memory_peak(scene& at);  // of all sidecars so far
std::vector<figure> idle(scene& at);         // queries and processor
std::vector<figure> standby(scene& at);      // likewise
std::vector<figure> inserts(scene& at);      // lock waits and p99
std::vector<figure> start(scene& at);

}  // namespace bench
