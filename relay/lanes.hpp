#pragma once
// relay/lanes.hpp - which lanes this process may relay at present.

#include <cstdint>
#include <vector>

#include "outbox/leases.hpp"

namespace relay {

struct open_lanes {
    outbox::lane_set set;
    std::vector<std::int64_t> epochs;  // of the leases of set.held, in the same order

    bool operator==(const open_lanes&) const = default;
};

/// Thread-safe.
class lanes {
  public:
    virtual ~lanes() = default;

    /// Those whose rows may be read. None: there is nothing to do but wait.
    virtual open_lanes open() const = 0;

    /// A row of this lane that was read under this epoch may be sent now. To be asked right before it is: false from
    /// the moment on, by the process's clock, at which the lease might have run out.
    virtual bool is_open(unsigned lane, std::int64_t epoch) const = 0;
};

}  // namespace relay
