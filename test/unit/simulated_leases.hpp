#pragma once
// test/unit/simulated_leases.hpp - a table msg_lane in memory, and connections to it that fail on demand.

#include <algorithm>
#include <functional>

#include "outbox/store.hpp"
#include "simulated_table.hpp"

namespace simulation {

struct lane_rows {
    std::vector<outbox::lease> leases;
    bool exists = true;
    int reads = 0, changes = 0;
};

class lane_connection final : public outbox::leases {
  public:
    lane_connection(lane_rows& rows, const turned_clock& clock) : rows_(rows), clock_(clock) {}

    bool has_leases() override {
        expect_connection();
        return rows_.exists;
    }

    outbox::lease_table read_leases() override {
        expect_connection();
        if (!rows_.exists) throw outbox::store_error("simulated: no table msg_lane");
        ++rows_.reads;
        return {rows_.leases, clock_.database_now()};
    }

    outbox::lease_table change_leases(
        const std::function<std::vector<outbox::lease>(const outbox::lease_table&)>& decide) override {
        expect_connection();
        if (!rows_.exists) throw outbox::store_error("simulated: no table msg_lane");
        delay();  // on the way there, and for the lock
        if (busy) throw outbox::store_busy("simulated: locked");
        ++rows_.changes;
        const outbox::lease_table seen{rows_.leases, clock_.database_now()};
        rows_.leases = decide(seen);
        delay();  // on the way back
        if (loses_replies) throw outbox::store_unavailable("simulated: the reply to COMMIT was lost");
        return {rows_.leases, seen.now};
    }

    bool away = false, busy = false, loses_replies = false;
    std::function<void()> delay = [] {};

  private:
    void expect_connection() const {
        if (away) throw outbox::store_unavailable("simulated: away");
    }

    lane_rows& rows_;
    const turned_clock& clock_;
};

}  // namespace simulation
