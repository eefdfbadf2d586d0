#pragma once
// outbox/leases.hpp - who relays which lane: the table msg_lane, beside msg_log in the same schema, so that all who
// relay that msg_log find the same leases. Outboxes of one schema share it, each under its own name.
//
// What to make of the leases is decided elsewhere (relay/); a store only reads them, and writes what was decided, in
// one transaction with the reading.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "outbox/message.hpp"

namespace outbox {

/// The rows that a reader answers for: those whose order_key (id where that is NULL) hashes to one of `held` among
/// `lanes`. The hash is the database's own affair; all replicas at one database see the same.
struct lane_set {
    unsigned lanes = 1;          // 1: all rows, whatever `held` says
    std::vector<unsigned> held;  // each below `lanes`

    bool operator==(const lane_set&) const = default;
};

/// One row of msg_lane.
struct lease {
    unsigned lane = 0;
    unsigned lanes = 1;      // how many there were when it was taken
    std::string owner;       // empty: nobody
    std::int64_t epoch = 0;  // one more each time that the lane changes hands
    epoch_ms expires = 0;    // from then on, whoever owns it has lost it
    std::string wanted_by;   // who asks the owner to hand it over; empty: nobody

    bool operator==(const lease&) const = default;
};

struct lease_table {
    std::vector<lease> leases;  // those of the store's msg_log, by lane
    epoch_ms now = 0;           // the database's clock, when they were read
};

/// Throws as outbox/store.hpp says.
class leases {
  public:
    virtual ~leases() = default;

    /// False: there is no table msg_lane, as where only the nine columns of the contract are. Asked anew each time.
    virtual bool has_leases() = 0;

    /// Takes no lock, writes nothing.
    virtual lease_table read_leases() = 0;

    /// In one transaction, beside which no other change_leases() of the same msg_log runs: reads the leases, lets
    /// `decide` say what they are to be (all of them: one that it leaves out is deleted), writes what differs, commits.
    /// Returns what stands afterwards, by lane, with the clock as `decide` saw it. Calls `decide` once at most; what
    /// that throws is passed on, and nothing has changed then. May have taken effect when it throws store_unavailable.
    virtual lease_table change_leases(const std::function<std::vector<lease>(const lease_table&)>& decide) = 0;
};

}  // namespace outbox
