// What failed, by its cause: of messages and of the ledger's entries, whichever the database.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "outbox/inspection.hpp"
#include "outbox/ledger.hpp"

namespace outbox {
namespace {

constexpr std::size_t page_rows = 2'000;
constexpr std::size_t most_groups = 10'000;  // each with its texts in memory
constexpr std::size_t cause_bytes = 200;

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// At most `cause_bytes`, and no part of a character at the end.
std::string cut(std::string_view text) {
    if (text.size() <= cause_bytes) return std::string(text);
    auto end = cause_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
}

void widen(std::optional<epoch_ms>& oldest, std::optional<epoch_ms>& latest, const std::optional<epoch_ms>& time) {
    if (!time) return;
    oldest = oldest ? std::min(*oldest, *time) : *time;
    latest = latest ? std::max(*latest, *time) : *time;
}

// The largest first, and among equals by what they are called, so that two looks at the same show the same.
template <class Group, class Groups, class Size>
std::vector<Group> largest(Groups&& by_key, std::size_t limit, Size&& size) {
    std::vector<Group> groups;
    for (auto& [key, one] : by_key) groups.push_back(std::move(one));
    std::stable_sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) { return size(a) > size(b); });
    if (groups.size() > limit) groups.resize(limit);
    return groups;
}

}  // namespace

message_groups inspection::groups(const message_filter& filter, std::uint64_t look_at_most, std::size_t limit) {
    message_groups result;
    look_at_most = std::max<std::uint64_t>(look_at_most, 1);
    std::map<std::pair<std::string, std::optional<std::string>>, message_group> by_key;
    std::optional<list_place> at;
    do {
        const auto page = list(filter, at, std::min<std::uint64_t>(page_rows, look_at_most - result.looked_at), false);
        for (const auto& row : page.rows) {
            auto error = row.last_error;
            if (error) error = cut(first_line(*error));
            auto& group = by_key[{row.exchange, error}];
            group.exchange = row.exchange;
            group.error = error;
            ++group.rows;
            widen(group.oldest, group.latest, row.update_time);
        }
        result.looked_at += page.rows.size();
        at = page.next;
        result.complete = !at;
    } while (at && result.looked_at < look_at_most && by_key.size() <= most_groups);
    result.groups = largest<message_group>(by_key, limit, [](const message_group& one) { return one.rows; });
    return result;
}

std::string cause_of(const ledger_entry& one) {
    const std::string_view reason = one.reason;
    const auto first = first_line(reason);
    // As relay/dead_letter.hpp's obituary() begins.
    const auto place = first.find("; from dead-letter queue '");
    if (one.failed_on == ledger_entry::side::producer || place == first.npos) return cut(first);
    std::string cause(first.substr(0, place));
    if (cause.ends_with(" deaths")) cause.resize(std::min(cause.size(), cause.rfind(", ")));
    if (first.size() < reason.size()) cause.append(": ").append(first_line(reason.substr(first.size() + 1)));
    return cut(cause);
}

failure_groups ledger::failure_groups(const ledger_filter& filter, std::uint64_t look_at_most, std::size_t limit) {
    outbox::failure_groups result;
    std::map<std::tuple<ledger_entry::side, std::string, std::string>, failure_group> by_key;
    std::optional<std::int64_t> before;
    for (;;) {
        // One more than is looked at tells whether there are more.
        const auto room = std::min<std::uint64_t>(page_rows, look_at_most - result.looked_at);
        auto page = entries(filter, before, room + 1, false);
        result.complete = page.size() <= room;
        if (!result.complete) page.resize(room);
        for (const auto& one : page) {
            const auto cause = cause_of(one);
            auto& group = by_key[{one.failed_on, one.exchange, cause}];
            group.side = one.failed_on;
            group.exchange = one.exchange;
            group.reason = cause;
            ++group.entries;
            widen(group.oldest, group.latest, one.filed);
        }
        result.looked_at += page.size();
        if (result.complete || result.looked_at >= look_at_most || by_key.size() > most_groups) break;
        before = page.back().id;
    }
    result.groups = largest<failure_group>(by_key, limit, [](const failure_group& one) { return one.entries; });
    return result;
}

}  // namespace outbox
