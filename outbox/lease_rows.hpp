#pragma once
// outbox/lease_rows.hpp - leases as rows of msg_lane.

#include <algorithm>
#include <vector>

#include "outbox/leases.hpp"
#include "outbox/sql_values.hpp"

namespace outbox {

/// Of the columns lane, lanes, owner, epoch, expires, wanted_by.
inline lease lease_of(const sql_row& row) {
    lease one;
    one.lane = static_cast<unsigned>(row.number(1).value_or(0));
    one.lanes = static_cast<unsigned>(row.number(2).value_or(0));
    one.owner = row.text(3).value_or("");
    one.epoch = row.number(4).value_or(0);
    one.expires = row.number(5).value_or(0);
    one.wanted_by = row.text(6).value_or("");
    return one;
}

/// nullptr: there is none of this lane.
inline const lease* lease_of_lane(const std::vector<lease>& in, unsigned lane) {
    const auto found = std::find_if(in.begin(), in.end(), [&](const lease& one) { return one.lane == lane; });
    return found == in.end() ? nullptr : &*found;
}

}  // namespace outbox
