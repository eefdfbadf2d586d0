#pragma once
// relay/lane_policy.hpp - what the leases of the lanes are to be. Pure: knows no database and no clock.
//
// Every sidecar looks at the same leases and decides for itself; nobody has a list of the others, and no two decide at
// the same time (outbox/leases.hpp). They share the lanes out evenly by these rules:
//
// - A lane is free when nobody owns it or its lease has expired. Who looks takes free lanes, up to an even share among
//   the owners that it sees, itself included.
// - Who owns two lanes fewer than another asks for one: it writes its name to `wanted_by`. The owner stops reading that
//   lane, waits until nothing of it is in flight, and then leaves it to the asker: no owner, but still `wanted_by`. For
//   one lease time, nobody else takes it. An asker that has not come by then is dead, and its other wishes go, too.
// - A wish that would not make things more even is withdrawn by the asker and dropped by the owner.
// - As long as live leases carry another number of lanes than ours, we take none. When the last of them is gone, the
//   first who looks replaces them all: two ways to divide the rows are never in force at once.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "outbox/leases.hpp"

namespace relay {

struct lane_view {
    std::string me;
    unsigned lanes = 1;
    std::chrono::milliseconds lease{0};
    bool leaving = false;           // take nothing, and release what is drained
    std::vector<unsigned> drained;  // of those that I own: not read any more, nothing of them in flight
    std::vector<unsigned> kept;     // of those that I own: not to be given away now
};

struct lane_plan {
    std::vector<outbox::lease> leases;    // all of them, as they are to be
    std::vector<unsigned> giving;         // mine still, but wanted elsewhere: to be drained
    std::optional<unsigned> other_lanes;  // live leases carry this number, so there is nothing for me
    bool asking = false;                  // there is a wish of mine
};

lane_plan plan_lanes(const outbox::lease_table& seen, const lane_view& view);

/// Whether `after` has more in it than that my leases expire later.
bool worth_writing(const std::vector<outbox::lease>& before, const std::vector<outbox::lease>& after);

}  // namespace relay
