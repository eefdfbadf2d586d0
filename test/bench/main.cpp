// test/bench/main.cpp - the program behind test/bench/run, which says how it is used.

#include <fmt/format.h>
#include <signal.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>
#include <thread>

#include "sidecar/version.hpp"
#include "test/bench/amqp_link.hpp"
#include "test/bench/benches.hpp"

namespace {

struct entry {
    std::vector<std::string> names;  // of the figures that it gives
    std::function<std::vector<bench::figure>(bench::scene&)> run;
};

const std::vector<entry> entries = {
    {{"drain_quorum_256", "cpu_per_message"}, bench::drain_quorum_256},
    {{"drain_classic_256"}, bench::drain_classic_256},
    {{"drain_shared_256", "drain_shared_4k"}, bench::drain_shared},
    {{"drain_1k"}, bench::drain_1k},
    {{"drain_4k"}, bench::drain_4k},
    {{"database_only"}, bench::database_only},
    {{"latency_p50", "latency_p99"}, bench::latency},
    {{"growth_backlog"}, bench::growth_backlog},
    {{"growth_settled"}, bench::growth_settled},
    {{"pinned_history"}, bench::pinned_history},
    {{"purge_latency"}, bench::purge_latency},
    {{"insert_lock_waits", "insert_p99"}, bench::inserts},
    {{"idle_queries", "idle_cpu"}, bench::idle},
    {{"standby_queries", "standby_cpu"}, bench::standby},
    {{"start"}, bench::start},
    {{"memory_peak"}, bench::memory_peak},
    {{"memory_large_bodies"}, bench::memory_large_bodies},
};

struct orders {
    bench::sizes sizes;
    std::string json;
    std::set<std::string> names;  // empty: all
};

orders read_orders(const std::vector<std::string>& words) {
    orders result;
    for (auto word = words.begin(); word != words.end(); ++word) {
        if (*word == "--long")
            result.sizes = bench::sizes::for_long();
        else if (*word == "--json")
            result.json = *++word;  // test/bench/run has seen to it that there is one
        else
            result.names.insert(*word);
    }
    return result;
}

std::string line_of(const char* file, std::string_view beginning) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(beginning)) return line.substr(std::min(line.size(), line.find(':') + 2));
    }
    return "?";
}

void describe(bench::scene& at, const bench::sizes& of) {
    utsname kernel{};
    uname(&kernel);
    double load = 0;
    std::ifstream("/proc/loadavg") >> load;
    std::cout << fmt::format(
        "{} cores, {}, {}, Linux {}, load {:.2f}\nMariaDB {}, RabbitMQ {}, outbox-sidecar {}\n"
        "rounds {}; rows: quorum {}, classic {}, 1 KiB {}, 4 KiB {}, backlog {} against {}, settled {}, pinned {}, "
        "1 MB bodies {}, purged from {}; latency {} s a round\n\n",
        std::thread::hardware_concurrency(), line_of("/proc/cpuinfo", "model name"),
        line_of("/proc/meminfo", "MemTotal"), kernel.release, load, at.server.text("SELECT VERSION()"),
        bench::amqp_link().broker_version(), sidecar::version, of.rounds, of.quorum_256, of.classic_256, of.quorum_1k,
        of.quorum_4k, of.backlog_large, of.backlog_small, of.settled, of.pinned, of.large_bodies, of.old_rows,
        of.latency.count() / 1'000);
}

int run(const orders& given) {
    bench::scene at;
    at.of = given.sizes;
    describe(at, given.sizes);
    std::cout << bench::table_head() << std::endl;
    std::vector<bench::figure> figures;
    for (const auto& one : entries) {
        const bool chosen = std::any_of(one.names.begin(), one.names.end(),
                                        [&](const auto& name) { return given.names.contains(name); });
        if (!given.names.empty() && !chosen) continue;
        for (auto& figure : one.run(at)) {
            std::cout << bench::table_row(figure) << std::endl;
            figures.push_back(std::move(figure));
        }
    }
    if (!given.json.empty()) std::ofstream(given.json) << bench::to_json(figures).dump(2) << '\n';
    const auto missed = std::count_if(figures.begin(), figures.end(), [](const auto& one) { return !one.ok; });
    std::cout << fmt::format("\n{} figures, {} below what they must reach\n", figures.size(), missed);
    return missed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> words(argv + 1, argv + argc);
    try {
        if (words.size() == 1 && words[0] == "--list") {
            for (const auto& one : entries) {
                for (const auto& name : one.names) std::cout << name << '\n';
            }
            return 0;
        }
        if (words.size() == 3 && words[0] == "--compare") {
            std::cout << bench::comparison(words[1], words[2]);
            return 0;
        }
        return run(read_orders(words));
    } catch (const std::exception& error) {
        std::cerr << "outbox-bench: " << error.what() << '\n';
        return 70;
    }
}
