#include "sidecar/watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "outbox/store.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/instant.hpp"
#include "sidecar/interruption.hpp"
#include "sidecar/log.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/status_name.hpp"
#include "sidecar/terminal.hpp"

namespace sidecar {
namespace {

using json = nlohmann::ordered_json;
using outbox::status;

constexpr std::uint64_t most_counted = 100'000;  // of each status, however many there are
constexpr std::array changing = {status::delivered, status::consumed, status::failed};

struct view {
    outbox::census counts;
    std::optional<outbox::lease_table> lanes;  // nullopt: there is no such table
    std::map<status, double> per_second;       // rows that came to be of that status; empty at the first look

    std::optional<std::chrono::milliseconds> oldest_age() const {
        if (!counts.oldest_due) return std::nullopt;
        return std::chrono::milliseconds(std::max<outbox::epoch_ms>(0, counts.now - *counts.oldest_due));
    }
};

// How many rows became of a status between two looks is read off their update_time.
view look(outbox::store& store, const context& at, const std::optional<outbox::epoch_ms>& before) {
    view all;
    all.counts = store.count_up_to(most_counted, std::chrono::minutes(1), at.settings.receipts.overdue);
    if (before && *before < all.counts.now) {
        for (const auto one : changing) {
            outbox::message_filter filter;
            filter.status = static_cast<int>(one);
            filter.since = *before;
            filter.before = all.counts.now;
            const auto rows = store.count(filter, most_counted);
            all.per_second[one] = static_cast<double>(rows) * 1'000 / static_cast<double>(all.counts.now - *before);
        }
    }
    if (store.has_leases()) all.lanes = store.read_leases();
    return all;
}

std::string at_least(std::uint64_t count) { return grouped(count) + (count >= most_counted ? "+" : ""); }

std::string rate_of(const view& all, status one) {
    const auto found = all.per_second.find(one);
    return found == all.per_second.end() ? "-" : fmt::format("{:.1f}/s", found->second);
}

std::string lanes_text(const view& all) {
    if (!all.lanes) return "no table of lanes";
    std::map<std::string, int> by_owner;
    int free = 0;
    for (const auto& one : all.lanes->leases)
        one.owner.empty() || one.expires <= all.lanes->now ? ++free : ++by_owner[one.owner];
    std::string text;
    for (const auto& [owner, lanes] : by_owner)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", owner,
                            lanes == 1 ? "1 lane" : fmt::format("{} lanes", lanes));
    if (free > 0) text += fmt::format("{}{} held by nobody", text.empty() ? "" : ", ", free);
    return text.empty() ? "no sidecar has run yet" : text;
}

void print_json(const view& all) {
    json rows = json::object(), rates = json::object();
    for (const auto& [one, count] : all.counts.rows) rows[std::string(status_name(static_cast<int>(one)))] = count;
    for (const auto one : changing) {
        const auto found = all.per_second.find(one);
        rates[std::string(status_name(static_cast<int>(one)))] =
            found == all.per_second.end() ? json() : json(found->second);
    }
    const auto age = all.oldest_age();
    auto lanes = json::array();
    if (all.lanes) {
        for (const auto& one : all.lanes->leases) {
            const bool held = !one.owner.empty() && one.expires > all.lanes->now;
            lanes.push_back({{"lane", one.lane}, {"owner", held ? json(one.owner) : json()}});
        }
    }
    std::cout << dumped({{"now", all.counts.now},
                         {"rows", rows},
                         {"at_most", most_counted},
                         {"due", all.counts.due},
                         {"oldest_due_age_ms", age ? json(age->count()) : json()},
                         {"per_second", rates},
                         {"ledger_entries", all.counts.ledger_entries},
                         {"blocked_keys", all.counts.blocked_keys},
                         {"receipts_overdue", all.counts.receipts_overdue},
                         {"lanes", all.lanes ? lanes : json()}})
              << std::flush;
}

void print_line(const view& all) {
    const auto age = all.oldest_age();
    std::cout << fmt::format("{}  due {}{}  delivered {}  consumed {}  failed {} ({})  lanes: {}\n",
                             utc_text(all.counts.now), at_least(all.counts.due),
                             age ? ", the oldest for " + rough(*age) : "", rate_of(all, status::delivered),
                             rate_of(all, status::consumed), at_least(all.counts.rows.at(status::failed)),
                             rate_of(all, status::failed), printable(lanes_text(all)))
              << std::flush;
}

std::string screen(const view& all, std::size_t width) {
    using align = table::align;
    table rows({align::right, align::right, align::left});
    for (const auto& [one, count] : all.counts.rows)
        rows.add({at_least(count), one == status::delivering ? "" : rate_of(all, one),
                  std::string(status_name(static_cast<int>(one)))});
    const auto age = all.oldest_age();
    rows.add({at_least(all.counts.due), "", age ? "due now, the oldest for " + rough(*age) : "due now"});
    if (all.counts.blocked_keys > 0) rows.add({grouped(all.counts.blocked_keys), "", "keys blocked"});
    if (all.counts.receipts_overdue > 0) rows.add({at_least(all.counts.receipts_overdue), "", "receipts overdue"});
    rows.add({at_least(all.counts.ledger_entries), "", "entries in the ledger of failures"});
    table lanes({align::left, align::left});
    lanes.add({"lanes:", lanes_text(all)});
    return utc_text(all.counts.now) + "\n" + rows.print(width) + lanes.print(width);
}

// Drawn over what was there, line by line, so that nothing flickers.
class redrawn {
  public:
    void show(const std::string& text) {
        std::string out = lines_ > 0 ? fmt::format("\r\x1b[{}A", lines_) : "";
        lines_ = 0;
        std::size_t at = 0;
        for (std::size_t end; (end = text.find('\n', at)) != text.npos; at = end + 1, ++lines_)
            out += text.substr(at, end - at) + "\x1b[K\n";
        std::cout << out << "\x1b[J" << std::flush;
    }

  private:
    std::size_t lines_ = 0;
};

}  // namespace

int watch(std::chrono::milliseconds interval, const context& at) {
    const auto& relay = at.settings.relay;
    const auto store =
        outbox::make_store(at.settings.database, {relay.after_delivery, "watch", relay.ordered, relay.on_failed});
    interruption interrupted;
    redrawn drawing;
    std::optional<outbox::epoch_ms> before;
    do {
        const auto width = terminal_width(STDOUT_FILENO);
        const auto say = [&](const char* what) {
            const auto text = fmt::format("outbox-sidecar: {}\n", printable(what));
            if (width > 0 && !at.json)
                drawing.show(text);
            else
                std::cerr << text;
        };
        try {
            const auto all = look(*store, at, before);
            before = all.counts.now;
            if (at.json)
                print_json(all);
            else if (width > 0)
                drawing.show(screen(all, width));
            else
                print_line(all);
        } catch (const outbox::store_unavailable& error) {
            if (!before) throw;  // it never was there
            say(error.what());
        } catch (const outbox::store_busy& error) {
            say(error.what());
        }
    } while (std::cout && interrupted.pause(interval));
    return exit_code::success;
}

}  // namespace sidecar
