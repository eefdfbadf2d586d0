#pragma once
// relay/letter_mover.hpp - works through a dead-letter queue, some messages at a time. A message is acked there only
// after its copy is confirmed and routed, or after its entry in the ledger is committed: killed between, it is done
// twice, and never lost.

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "conf/settings.hpp"
#include "outbox/ledger.hpp"
#include "relay/amqp_letters.hpp"
#include "relay/dead_letter.hpp"

namespace relay {

/// What a step has done.
struct letter_step {
    std::uint64_t fetched = 0;
    std::uint64_t redriven = 0;
    std::uint64_t filed = 0;
    std::uint64_t refused = 0;                 // put at the end of the queue, or given back, to be tried again
    bool over = false;                         // no more can be done now
    std::optional<std::chrono::seconds> wait;  // until more can be done, when that is known
    bool hopeless = false;                     // neither could be done, nor could it be put at the end
    std::set<std::string> troubles;            // why some were refused
    bool asked_database = false;               // to file something
    std::optional<std::string> no_database;    // why it did not serve, if it did not
};

/// One thread.
class letter_mover {
  public:
    /// `ledger`: nullptr to file nothing. `at_once`: whatever is there is redriven now, however often it was.
    letter_mover(const conf::dead_letters& settings, outbox::ledger* ledger, bool at_once);

    /// Fetches up to `most` messages, of some MiB in all, and does with each what is to be done at `now` (seconds since
    /// the epoch). `go_on` as in letter_box::send. Throws amqp::connection_lost alone.
    letter_step step(amqp::letter_box& box, std::uint64_t most, std::int64_t now,
                     const std::function<bool()>& go_on) const;

    /// What would be done with it.
    fate fate_of(const amqp::letter& one, std::int64_t now) const;

  private:
    struct held;
    struct batch;

    bool fetch(amqp::letter_box& box, std::uint64_t most, batch& into) const;
    void redrive_all(amqp::letter_box& box, batch& of, const std::function<bool()>& go_on) const;
    void file_all(amqp::letter_box& box, batch& of) const;
    void put_back_all(amqp::letter_box& box, batch& of, const std::function<bool()>& go_on) const;
    death_certificate certificate_of(const amqp::letter& one) const;

    conf::dead_letters settings_;
    outbox::ledger* const ledger_;
    const bool at_once_;
};

/// What is filed of a dead letter.
outbox::consumer_failure failure_of(const amqp::letter& one, const death_certificate& certificate,
                                    const conf::dead_letters& settings, std::string_view why_now);

}  // namespace relay
