#pragma once
// test/support/relaying.hpp - a relay at work on a table, as the process runs it, with waits that suit a test.

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "conf/settings.hpp"
#include "sidecar/service.hpp"
#include "test/support/broker.hpp"
#include "test/support/database.hpp"
#include "test/support/messages.hpp"
#include "test/support/recorder.hpp"
#include "test/support/waiting.hpp"

namespace support {

/// For this table and the tests' broker: short pauses, and a failed try that is repeated after 50 ms.
conf::settings quick_settings(const conf::database& on);
inline conf::settings quick_settings(const table& on) { return quick_settings(on.settings()); }

/// A failed try is then repeated only long after the test's end.
conf::retry one_try_only();

/// Relays from construction to stop().
class relaying {
  public:
    explicit relaying(const conf::settings& settings);
    ~relaying();
    relaying(const relaying&) = delete;
    relaying& operator=(const relaying&) = delete;

    sidecar::farewell stop();

    const recorder& seen() const { return recorder_; }
    recorder::figures so_far() const { return recorder_.so_far(); }

  private:
    recorder recorder_;
    std::unique_ptr<sidecar::service> service_;
};

/// What most tests have: a table, an exchange with a queue, and somebody who looks at both.
struct scene {
    explicit scene(support::table its_table = support::table::recommended()) : table(std::move(its_table)) {}

    support::table table;
    database server;
    broker rabbit;
    route to{rabbit};

    /// Waits until so many rows are of this status.
    bool reaches(int status, std::size_t rows);
    /// The number of rows with this condition, in SQL.
    std::size_t rows(const std::string& condition) { return count(server, table, condition); }
};

/// Waits until the relay has read what is in the table now with a recent next_try_time: several reads have begun since.
bool read_by_now(database& root);

/// Inserts rows with ids "b1", "b2" … to one exchange, all the time, so that whatever happens does so in mid-burst.
/// At most some hundreds are undelivered at once, so it stands still while the relay does.
class burst {
  public:
    burst(const table& into, std::string exchange);
    ~burst();
    burst(const burst&) = delete;
    burst& operator=(const burst&) = delete;

    /// Returns the number of rows. Throws what the insertion threw.
    std::size_t stop();

  private:
    std::atomic<bool> stopping_{false};
    std::size_t inserted_ = 0;
    std::exception_ptr failure_;
    std::thread thread_;
};

}  // namespace support
