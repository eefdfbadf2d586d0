#include "simulated_table.hpp"

#include <algorithm>

namespace simulation {
namespace {

// NULL first, then (time, id): the order of the index.
bool before(const outbox::message* a, const outbox::message* b) {
    if (a->next_try_time != b->next_try_time) return a->next_try_time < b->next_try_time;
    return a->id < b->id;
}

}  // namespace

bool table::comes_after(const outbox::message& one, const outbox::position& after) const {
    if (one.next_try_time != after.time) return after.time < one.next_try_time;
    return !after.id || one.id > *after.id;
}

outbox::page table::due(const outbox::position& after, std::size_t limit, const outbox::lane_set&) {
    if (away || chance(random_, mishaps)) throw outbox::store_unavailable("simulated: away");
    outbox::page page;
    const auto now = clock_.database_now();
    if (!after.time && !after.id) page.now = now;
    std::vector<const outbox::message*> found;
    for (const auto& [id, one] : rows) {
        if (one.status != 0) continue;
        const auto time = one.content.next_try_time;
        if ((!time || *time <= now) && comes_after(one.content, after)) found.push_back(&one.content);
    }
    std::sort(found.begin(), found.end(), before);
    page.complete = found.size() < limit;
    if (found.size() > limit) found.resize(limit);
    for (const auto* one : found) page.rows.push_back(*one);
    for (auto& one : page.rows) {
        one.body_size = one.body.size();
        if (chance(random_, 0.1)) {
            one.body_left_out = one.body_size > 0;
            if (one.body_left_out) one.body.clear();
        }
    }
    page.next = page.rows.empty() ? after : outbox::position{page.rows.back().next_try_time, page.rows.back().id};
    meanwhile();  // the snapshot is taken: what is settled now, it still shows as due
    if (chance(random_, mishaps)) throw outbox::store_unavailable("simulated: reply lost");
    return page;
}

bool table::load_body(outbox::message& wanted) {
    if (away || chance(random_, mishaps)) throw outbox::store_unavailable("simulated: away");
    const auto found = rows.find(wanted.id);
    if (found == rows.end() || found->second.status != 0) return false;
    wanted.body = found->second.content.body;
    wanted.body_left_out = false;
    return true;
}

std::size_t table::settle(std::span<const outbox::settlement> batch) {
    if (away || chance(random_, mishaps)) throw outbox::store_unavailable("simulated: away");
    for (const auto& one : batch) {
        if (locked.count(one.id) > 0) throw outbox::store_busy("simulated: locked");
    }
    meanwhile();
    std::size_t changed = 0;
    for (const auto& one : batch) {
        const auto found = rows.find(one.id);
        if (found == rows.end() || found->second.status != 0) continue;
        auto& target = found->second;
        ++changed;
        switch (one.what) {
            case outbox::settlement::kind::delivered: target.status = 1; break;
            case outbox::settlement::kind::failed: target.status = 2; [[fallthrough]];
            case outbox::settlement::kind::retry:
                target.content.try_count = one.try_count;
                target.content.next_try_time = clock_.database_now() + one.delay.count();
                target.last_error = one.error;
                break;
        }
    }
    ++settles;
    if (chance(random_, mishaps)) throw outbox::store_unavailable("simulated: the reply to COMMIT was lost");
    return changed;
}

}  // namespace simulation
