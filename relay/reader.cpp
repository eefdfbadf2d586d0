#include "relay/reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace relay {
namespace {

using namespace std::chrono_literals;

// What the reader waits for - room, the broker - is announced by a ring; this is how long it trusts in that.
constexpr auto until_rung = 500ms;

struct reading {
    explicit reading(relay::in_flight& rows) : rows_(rows) { rows_.read_began(); }
    ~reading() { rows_.read_ended(); }
    relay::in_flight& rows_;
};

}  // namespace

reader::reader(outbox::due_rows& rows, const relay::lanes& lanes, relay::in_flight& in_flight, send_queue& out,
               const relay::clock& clock, random_source draw, observer& watch, limits settings, parking* park)
    : rows_(rows),
      lanes_(lanes),
      in_flight_(in_flight),
      out_(out),
      clock_(clock),
      draw_(std::move(draw)),
      watch_(watch),
      limits_(settings),
      park_(park),
      sweep_(settings.pace),
      backoff_(100ms, 5s) {}

std::chrono::milliseconds reader::run_once() {
    if (reread_.exchange(false)) sweep_.restart();
    if (look_.exchange(false)) sweep_.hurry(clock_.now());
    if (auto open = lanes_.open(); open != open_) {
        open_ = std::move(open);
        abandon();
        sweep_.restart();
    }
    if (!out_.is_open() || open_.set.held.empty()) {
        abandon();
        sweep_.restart();
        return until_rung;
    }
    try {
        if (!hand_over()) return until_rung;
        if (limits_.ordered) {
            read_next_of_keys();
            if (!hand_over()) return until_rung;
        }
        // Not for the sake of a few rows: a page costs a round trip.
        if (in_flight_.room() < limits_.page_rows || !out_.has_room_for(1)) return until_rung;
        const auto after = sweep_.next(clock_.now());
        if (!after) {
            const auto wait = std::chrono::ceil<std::chrono::milliseconds>(sweep_.due_at() - clock_.now());
            return free_keys_.empty() ? std::max(wait, 0ms) : 0ms;
        }
        read_page(*after);
        hand_over();
        return 0ms;
    } catch (const outbox::store_unavailable& error) {
        return database_failed(error.what());
    } catch (const outbox::store_busy& error) {
        return database_failed(error.what());
    } catch (const outbox::store_error& error) {
        return database_failed(error.what());
    }
}

void reader::read_page(const outbox::position& after) {
    const reading under_way(in_flight_);

    const auto began = clock_.now();
    auto page = rows_.due(after, limits_.page_rows, open_.set);
    const auto heads = heads_in(page.rows);
    const auto ended = clock_.now();
    if (!std::exchange(connected_, true)) {
        watch_.database_up("reader");
        backoff_.reset();
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(ended - began);
    if (page.now) watch_.database_clock(*page.now, began, took);
    if (page.now && park_ != nullptr) park_->database_clock(*page.now, began);
    std::size_t taken = 0;
    for (auto& row : page.rows) {
        const bool waits = !key_of(row).empty() && heads.count(row.id) == 0;
        if (!waits && take_up(row)) ++taken;
    }
    sweep_.page_read(page, taken, ended, took);
}

// The page may be older than the settling of a row in it, so it can't say who is first of a key. The database can, when
// it is asked after the key was seen to have nothing on its way. It knows, too, what this process does not: rows that
// wait for their time, and those that another process has left behind.
std::unordered_set<std::string> reader::heads_in(const std::vector<outbox::message>& rows) {
    std::unordered_set<std::string> keys;
    for (const auto& row : rows) {
        if (const auto& key = key_of(row); !key.empty() && !in_flight_.has_key(key)) keys.insert(key);
    }
    if (keys.empty()) return {};
    const auto heads = rows_.heads(std::vector(keys.begin(), keys.end()));
    return {heads.begin(), heads.end()};
}

// Or a key would get on by one row in each sweep. What is lost of it by an error, the sweep that follows finds.
void reader::read_next_of_keys() {
    for (auto& key : in_flight_.freed_keys()) free_keys_.push_back(std::move(key));
    const auto most = std::min<std::size_t>(in_flight_.room(), limits_.page_rows);
    std::unordered_set<std::string> keys;
    for (; keys.size() < most && !free_keys_.empty(); free_keys_.pop_front()) {
        if (!in_flight_.has_key(free_keys_.front())) keys.insert(std::move(free_keys_.front()));
    }
    if (keys.empty()) return;
    const reading under_way(in_flight_);
    const auto heads = rows_.heads(std::vector(keys.begin(), keys.end()));
    if (heads.empty()) return;
    for (auto& row : rows_.due_among(heads, open_.set)) take_up(row);
}

const std::string& reader::key_of(const outbox::message& row) const {
    static const std::string none;
    return limits_.ordered && row.order_key ? *row.order_key : none;
}

bool reader::take_up(outbox::message& row) {
    if (!in_flight_.admit(row.id, row.lane, key_of(row))) return false;
    stamp(row);
    held_.push_back(std::move(row));
    return true;
}

void reader::stamp(outbox::message& row) const {
    const auto lane = std::find(open_.set.held.begin(), open_.set.held.end(), row.lane);
    if (lane != open_.set.held.end())
        row.lane_epoch = open_.epochs[static_cast<std::size_t>(lane - open_.set.held.begin())];
}

// In order: a row that waits for room holds up those behind it.
bool reader::hand_over() {
    while (!held_.empty()) {
        auto& row = held_.front();
        if (!out_.has_room_for(row.body_size)) return false;
        if (row.body_left_out && !fetch_body(row)) {
            in_flight_.released(std::array{row.id});  // gone or settled by someone else since it was read
            held_.pop_front();
            continue;
        }
        if (!out_.push(std::move(row))) return false;
        held_.pop_front();
    }
    return true;
}

bool reader::fetch_body(outbox::message& row) {
    const bool there = rows_.load_body(row);
    watch_.turned(loop::reader);
    return there;
}

void reader::abandon() {
    std::vector<std::string> ids;
    for (const auto& row : held_) ids.push_back(row.id);
    held_.clear();
    in_flight_.released(ids);
    in_flight_.freed_keys();  // the sweep that follows looks at all of them
    free_keys_.clear();
}

std::chrono::milliseconds reader::database_failed(const char* what) {
    if (std::exchange(connected_, false) || what_failed_ != what) watch_.database_down("reader", what);
    what_failed_ = what;
    sweep_.restart();
    return backoff_.next(draw_());
}

}  // namespace relay
