#pragma once
// sidecar/api/jobs.hpp - what takes longer than a request should: one job at a time, on a thread of its own. Who has
// asked for it looks at it by its id. Nothing of it outlives the process: a job that is cut off has changed what it
// says, and can be asked for again.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "outbox/store.hpp"
#include "sidecar/api/exchange.hpp"

namespace sidecar::api {

/// As it stands.
struct job {
    enum class state { queued, running, done, failed, stopped };

    std::string id;
    std::string action;  // "retry messages"
    std::string by;      // the caller's name
    state is = state::queued;
    std::optional<std::uint64_t> total;  // nullopt: not known
    std::uint64_t changed = 0;
    std::uint64_t left = 0;                   // looked at, and left as they were
    std::string error;                        // of failed, and why some were left
    std::optional<outbox::epoch_ms> started;  // by this machine's clock
    std::optional<outbox::epoch_ms> ended;
};

/// {"id", "action", "state", "total", "changed", "left", "error", "by", "started", "ended"}
json job_json(const job& one);

/// Any thread.
class jobs {
  public:
    /// What a job at work is told, and says. Its own thread.
    class control {
      public:
        /// False: stop. Waits for that long, or until it is to stop.
        bool go_on(std::chrono::milliseconds wait = std::chrono::milliseconds{0});
        void total(std::uint64_t rows);
        void progress(std::uint64_t changed, std::uint64_t left);
        /// Why some were left, though the job went to its end.
        void trouble(std::string why);

      private:
        friend class jobs;
        control(jobs& all, job& one) : all_(all), one_(one) {}
        jobs& all_;
        job& one_;
        bool refused_ = false;
    };

    /// Throws what says why it failed. When control::go_on says no, it is to return soon.
    using work = std::function<void(outbox::store&, control&)>;

    static constexpr std::size_t most_waiting = 16;
    static constexpr std::size_t most_kept = 100;  // the latest, with those that wait

    /// `make`: a store that connects when it is first used.
    explicit jobs(std::function<std::unique_ptr<outbox::store>()> make);
    /// Stops all, and waits for the one at work.
    ~jobs();
    jobs(const jobs&) = delete;
    jobs& operator=(const jobs&) = delete;

    /// nullopt: too many wait already, or it is ending.
    std::optional<job> add(std::string action, std::string by, work what);

    /// The latest first.
    std::vector<job> all() const;
    std::optional<job> find(std::string_view id) const;
    /// Stops it, if it has not ended. False: there is none of that id.
    bool stop(std::string_view id);
    /// Takes no more, and stops all; does not wait.
    void stop();

  private:
    struct entry {
        job what;
        work does;
        bool to_stop = false;
    };

    void run();
    void run_one(outbox::store& store, entry& one);

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::list<entry> entries_;  // in the order in which they came; addresses stay
    entry* at_work_ = nullptr;
    std::uint64_t last_id_ = 0;
    bool ending_ = false;

    const std::unique_ptr<outbox::store> store_;  // the thread's
    std::thread thread_;                          // the last: it uses the others
};

}  // namespace sidecar::api
