#pragma once
// relay/redriver.hpp - keeps the configured dead-letter queues: measures them, redrives what is in them, files what no
// redrive has helped. On a broker connection of its own, off the way of the rows.

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "relay/amqp_letters.hpp"
#include "relay/backoff.hpp"
#include "relay/clock.hpp"
#include "relay/letter_mover.hpp"
#include "relay/observer.hpp"
#include "relay/random_source.hpp"

namespace relay {

/// One thread, but for stop() and abort().
class redriver {
  public:
    /// `in_charge`: whether it is for this sidecar to do, as one does it for all of them. Two at once do no harm: a
    /// queue hands each message to one of them. Throws std::invalid_argument for an url it can't use.
    redriver(const conf::broker& broker, const std::vector<conf::dead_letters>& queues, outbox::ledger& ledger,
             const clock& clock, random_source random, observer& watch, std::function<bool()> in_charge);
    ~redriver();

    /// The names of all queues there are: those that a pattern means, and no entry names, are looked after from the
    /// next run_once() on, at most a hundred; those that are gone, no longer. Any thread.
    void learn_names(std::vector<std::string> names);

    /// Does one step in each queue in which there is something to do. Returns how long to wait then.
    ///
    /// What is in a queue when it is looked at is a pass, and is worked through before it is looked at again: what dies
    /// again meanwhile, or is put at the end, is the next pass's.
    std::chrono::milliseconds run_once();

    /// Makes a run_once() that is under way end soon. Any thread.
    void stop();
    /// Cuts the connection under a call that the broker holds up. Any thread.
    void abort();

  private:
    struct queue;

    void adopt_names();
    const conf::dead_letters* pattern_for(const std::string& name) const;
    bool connected(std::chrono::milliseconds& wait);
    void disconnect();
    void look_at(queue& one);
    void step_in(queue& one);
    void tell_of_database(const letter_step& done);
    void complain(std::set<std::string>& said, std::string_view queue, const std::string& why);

    const conf::broker settings_;
    const clock& clock_;
    const random_source draw_;
    observer& watch_;
    const std::function<bool()> in_charge_;
    std::vector<conf::url> urls_;
    std::size_t next_url_ = 0;
    backoff backoff_;
    time_point next_try_{};
    std::set<std::string> said_of_all_;
    const std::vector<conf::dead_letters> wanted_;
    outbox::ledger& ledger_;
    std::list<queue> queues_;
    std::size_t left_out_ = 0;
    std::unique_ptr<amqp::letter_box> box_;
    bool measuring_ = false;
    bool database_up_ = false;
    std::string what_failed_;  // of the database; reported already

    std::mutex names_mutex_;
    std::optional<std::vector<std::string>> names_;  // learnt, not adopted yet; guarded by names_mutex_

    std::atomic<bool> stopping_{false};
    std::mutex socket_mutex_;
    int socket_ = -1;       // guarded by socket_mutex_
    bool aborted_ = false;  // likewise
};

}  // namespace relay
