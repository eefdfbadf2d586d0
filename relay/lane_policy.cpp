#include "relay/lane_policy.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace relay {
namespace {

using outbox::lease;

bool contains(const std::vector<unsigned>& in, unsigned lane) {
    return std::find(in.begin(), in.end(), lane) != in.end();
}

class planner {
  public:
    planner(const outbox::lease_table& seen, const lane_view& view)
        : view_(view), now_(seen.now), until_(seen.now + view.lease.count()), before_(seen.leases) {}

    lane_plan run() {
        if ((plan_.other_lanes = other_number())) {
            plan_.leases = before_;
            return std::move(plan_);
        }
        lay_out();
        renew();
        grant();
        if (!view_.leaving) {
            take();
            ask();
        } else {
            withdraw_all(view_.me);
        }
        return std::move(plan_);
    }

  private:
    bool live(const lease& one) const { return !one.owner.empty() && one.expires > now_; }
    bool mine(const lease& one) const { return one.owner == view_.me; }
    bool wished_by_other(const lease& one) const { return !one.wanted_by.empty() && one.wanted_by != view_.me; }
    /// Left to whoever asked for it, who has not come yet.
    bool reserved(const lease& one) const { return one.owner.empty() && !one.wanted_by.empty() && one.expires > now_; }

    std::optional<unsigned> other_number() const {
        for (const auto& one : before_) {
            if (live(one) && !mine(one) && one.lanes != view_.lanes) return one.lanes;
        }
        return std::nullopt;
    }

    // One lease for each lane; those of another number of lanes are gone.
    void lay_out() {
        std::int64_t epoch = 0;
        for (const auto& one : before_) epoch = std::max(epoch, one.epoch);
        for (unsigned lane = 0; lane < view_.lanes; ++lane) {
            const auto old = std::find_if(before_.begin(), before_.end(), [&](const lease& one) {
                return one.lane == lane && one.lanes == view_.lanes;
            });
            if (old != before_.end())
                leases().push_back(*old);
            else
                leases().push_back({.lane = lane, .lanes = view_.lanes, .owner = "", .epoch = epoch, .wanted_by = ""});
        }
        for (const auto& one : leases()) {
            if (live(one) || mine(one)) ++count_[one.owner];
            if (reserved(one)) ++coming_[one.wanted_by];
        }
    }

    // Mine even if it has expired: nobody has taken it since.
    void renew() {
        for (auto& one : leases()) {
            if (!mine(one)) continue;
            if (view_.leaving && contains(view_.drained, one.lane)) {
                --count_[view_.me];
                one.owner.clear();
                one.wanted_by.clear();
                one.expires = 0;
            } else {
                one.expires = until_;
            }
        }
    }

    // Who owns something is alive, and may have several lanes at once. Who owns nothing may be dead, so it gets a
    // second one only after it has come for the first.
    void grant() {
        if (view_.leaving) return;
        for (auto one = leases().rbegin(); one != leases().rend(); ++one) {
            if (!mine(*one) || !wished_by_other(*one) || contains(view_.kept, one->lane)) continue;
            const auto& asker = one->wanted_by;
            if (count_[view_.me] < count_[asker] + coming_[asker] + 2) {
                one->wanted_by.clear();
                continue;
            }
            if (count_[asker] == 0 && coming_[asker] > 0) continue;
            --count_[view_.me];
            ++coming_[asker];
            if (contains(view_.drained, one->lane))
                one->owner.clear();
            else
                plan_.giving.push_back(one->lane);
        }
    }

    void take() {
        for (auto& one : leases()) {
            if (reserved(one) && one.wanted_by == view_.me) take(one);
        }
        count_.try_emplace(view_.me, 0);
        const auto owners = static_cast<unsigned>(std::count_if(
            count_.begin(), count_.end(), [&](const auto& each) { return each.second > 0 || each.first == view_.me; }));
        const unsigned share = (view_.lanes + owners - 1) / owners;
        for (auto& one : leases()) {
            if (count_[view_.me] >= share) return;
            if (!live(one) && !reserved(one)) take(one);
        }
    }

    void take(lease& one) {
        if (one.owner.empty() && one.wanted_by != view_.me) {
            const auto absent = one.wanted_by;
            if (!absent.empty()) withdraw_all(absent);
        }
        ++count_[view_.me];
        one.owner = view_.me;
        one.expires = until_;
        one.wanted_by.clear();
        ++one.epoch;
    }

    void withdraw_all(const std::string& asker) {
        for (auto& one : leases()) {
            if (one.wanted_by == asker) one.wanted_by.clear();
        }
    }

    // As if every wish came true: then mine are kept, or added, as long as they even things out.
    void ask() {
        auto left = count_;
        for (const auto& one : leases()) {
            if (live(one) && !mine(one) && wished_by_other(one)) --left[one.owner];
        }
        unsigned having = left[view_.me];
        const auto evens_out = [&](const std::string& owner) { return left[owner] >= having + 2; };
        const auto wish = [&](lease& one) {
            one.wanted_by = view_.me;
            --left[one.owner];
            ++having;
            plan_.asking = true;
        };
        for (auto& one : leases()) {
            if (one.wanted_by != view_.me) continue;
            one.wanted_by.clear();
            if (live(one) && !mine(one) && evens_out(one.owner)) wish(one);
        }
        for (;;) {
            lease* best = nullptr;
            for (auto& one : leases()) {
                if (!live(one) || mine(one) || !one.wanted_by.empty() || !evens_out(one.owner)) continue;
                if (best == nullptr || left[one.owner] >= left[best->owner]) best = &one;
            }
            if (best == nullptr) return;
            wish(*best);
        }
    }

    std::vector<lease>& leases() { return plan_.leases; }

    const lane_view& view_;
    const outbox::epoch_ms now_;
    const outbox::epoch_ms until_;
    const std::vector<lease>& before_;
    lane_plan plan_;
    std::map<std::string, unsigned> count_;   // lanes of each live owner, without those that I am giving away
    std::map<std::string, unsigned> coming_;  // lanes on their way to an asker
};

}  // namespace

lane_plan plan_lanes(const outbox::lease_table& seen, const lane_view& view) { return planner(seen, view).run(); }

bool worth_writing(const std::vector<outbox::lease>& before, const std::vector<outbox::lease>& after) {
    return !std::equal(before.begin(), before.end(), after.begin(), after.end(), [](const lease& a, lease b) {
        if (a.owner == b.owner) b.expires = a.expires;
        return a == b;
    });
}

}  // namespace relay
