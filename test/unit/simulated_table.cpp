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

const row* table::head(const std::string& key) const {
    const row* first = nullptr;
    const auto place = [](const row& one) { return std::pair(one.content.create_time, one.content.id); };
    for (const auto& [id, one] : rows) {
        if (one.content.order_key != key || !(one.status == 0 || (block && one.status == 2))) continue;
        if (first == nullptr || place(one) < place(*first)) first = &one;
    }
    return first;
}

std::vector<std::string> table::heads(std::span<const std::string> keys) {
    if (away || chance(random_, mishaps)) throw outbox::store_unavailable("simulated: away");
    std::vector<std::string> ids;
    for (const auto& key : keys) {
        if (const auto* first = head(key)) ids.push_back(first->content.id);
    }
    meanwhile();
    return ids;
}

std::vector<outbox::message> table::due_among(std::span<const std::string> ids, const outbox::lane_set&) {
    if (away || chance(random_, mishaps)) throw outbox::store_unavailable("simulated: away");
    std::vector<outbox::message> found;
    for (const auto& id : ids) {
        const auto one = rows.find(id);
        if (one == rows.end() || one->second.status != 0) continue;
        if (one->second.content.next_try_time.value_or(0) > clock_.database_now()) continue;
        found.push_back(one->second.content);
        found.back().body_size = found.back().body.size();
    }
    meanwhile();
    return found;
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
            case outbox::settlement::kind::parked:
                ++parked;
                target.content.next_try_time = one.until;
                target.last_error = one.error;
                break;
        }
    }
    ++settles;
    if (chance(random_, mishaps)) throw outbox::store_unavailable("simulated: the reply to COMMIT was lost");
    return changed;
}

outbox::released table::release(outbox::epoch_ms parked_until, const std::optional<std::string>& after,
                                std::size_t limit) {
    if (away || chance(random_, mishaps)) throw outbox::store_unavailable("simulated: away");
    outbox::released result;
    for (auto one = after ? rows.upper_bound(*after) : rows.begin(); one != rows.end(); ++one) {
        auto& [id, row] = *one;
        const bool marked = row.last_error.starts_with(outbox::parked_mark);
        if (row.status != 0 || row.content.next_try_time != parked_until || !marked) continue;
        if (locked.count(id) > 0) throw outbox::store_busy("simulated: locked");
        row.content.next_try_time = clock_.database_now();
        if (++result.rows < limit) continue;
        result.next = id;
        break;
    }
    meanwhile();
    if (chance(random_, mishaps)) throw outbox::store_unavailable("simulated: the reply to COMMIT was lost");
    return result;
}

}  // namespace simulation
