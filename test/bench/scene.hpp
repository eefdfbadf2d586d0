#pragma once
// test/bench/scene.hpp - what every measurement stands on: tables with rows in them, queues, and the sidecar as an
// operator starts it, with the shipped configuration.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "test/support/broker.hpp"
#include "test/support/database.hpp"
#include "test/support/sidecar.hpp"

namespace bench {

/// How many of what, in the short form of the benchmark and in the long one.
struct sizes {
    int rounds = 5;
    std::size_t quorum_256 = 30'000;
    std::size_t classic_256 = 15'000;
    std::size_t quorum_1k = 15'000;
    std::size_t quorum_4k = 8'000;
    std::size_t backlog_small = 30'000;
    std::size_t backlog_large = 90'000;
    std::size_t settled = 200'000;
    std::size_t pinned = 50'000;
    std::size_t large_bodies = 200;
    std::size_t old_rows = 100'000;
    std::chrono::milliseconds latency{1'000};
    std::chrono::milliseconds idle{1'000};

    static sizes for_long() {
        return {.rounds = 5,
                .quorum_256 = 200'000,
                .classic_256 = 200'000,
                .quorum_1k = 200'000,
                .quorum_4k = 100'000,
                .backlog_small = 100'000,
                .backlog_large = 2'000'000,
                .settled = 5'000'000,
                .pinned = 1'000'000,
                .large_bodies = 10'000,
                .old_rows = 1'000'000,
                .latency = std::chrono::seconds(15),
                .idle = std::chrono::seconds(10)};
    }
};

struct message_shape {
    std::size_t body = 256;
    bool headers = false;
};

/// The header that messages with headers have, in a row and on the wire.
extern const std::string header_json;

/// {"n":"0000000042","text":"xxx…"}, so many bytes; what fill() writes into row 42.
std::string body_of(std::size_t number, std::size_t bytes);

/// A durable queue of its own, of type "quorum" or "classic", deleted at the end.
class own_queue {
  public:
    own_queue(support::broker& at, const std::string& type, const nlohmann::json& more = nlohmann::json::object());
    ~own_queue();
    own_queue(const own_queue&) = delete;
    own_queue& operator=(const own_queue&) = delete;
    const std::string& name() const { return name_; }

  private:
    support::broker& broker_;
    std::string name_;
};

/// Adds due rows for the queue, ten for each millisecond of the last while, in the order of that time.
void fill(support::database& server, const support::table& into, const std::string& queue, std::size_t rows,
          const message_shape& of = {});
/// Adds rows of status 1, last changed so long ago.
void fill_settled(support::database& server, const support::table& into, std::size_t rows,
                  std::chrono::hours ago = std::chrono::hours(1));

/// One of the server's counters (SHOW GLOBAL STATUS).
std::int64_t counter(support::database& server, const std::string& name);
std::int64_t database_ms(support::database& server);

/// The real program with the shipped configuration: only the urls and the table are set.
class running_sidecar {
  public:
    explicit running_sidecar(const support::table& on, const std::string& command = "run");
    ~running_sidecar();

    void wait_until_connected();
    /// Until this event is in its log.
    void wait_until(const std::string& event);
    /// User and system time of all its threads so far.
    double cpu_seconds() const;
    /// The most memory that it has had so far.
    double peak_mb() const;
    /// Ends it as an operator would. Throws std::runtime_error when it does not leave in good order.
    void stop();

  private:
    std::unique_ptr<support::sidecar_process> process_;
};

/// The highest peak_mb() of all that were stopped.
double highest_peak_mb();

struct drained {
    double rate = 0;    // rows/s, from the first settled row to the last
    double cpu_us = 0;  // per row, in the sidecar
};

/// Starts a sidecar on a table with so many due rows, and waits until all are settled.
drained drain(support::database& server, const support::table& from, std::size_t rows);
/// Rows/s of what was settled since `since`, by the times in the rows themselves.
double settled_rate(support::database& server, const support::table& in, std::int64_t since);

}  // namespace bench
