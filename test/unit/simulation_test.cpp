// The whole relay, in one thread and out of step, against a simulated table and broker: thousands of histories of
// crashes, lost replies, late commits and closed channels. Each is made from its seed alone, which a failure prints;
// OUTBOX_TEST_SEED=n runs just that one.

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>

#include "relay/pump.hpp"
#include "relay/reader.hpp"
#include "relay/settler.hpp"
#include "simulated_broker.hpp"
#include "simulated_table.hpp"

namespace simulation {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t window = 40;
constexpr std::uint32_t max_retries = 3;

/// One life of the process: what a crash takes with it.
struct process {
    process(table& rows, broker& broker_in, const relay::lanes& lanes, const turned_clock& clock, std::uint64_t seed,
            bool ordered, bool park)
        : parking(clock, watch, {1s, 3}),
          in_flight(100),
          queue(
              4'000, [] {}, [] {}),
          reader(rows, lanes, in_flight, queue, clock, relay::seeded_source(seed), watch, {20, {2ms, 100ms}, ordered},
                 park ? &parking : nullptr),
          pump(
              broker_in, lanes, queue, outcomes, in_flight, relay::composer(conf::message{}), watch,
              [this] { reader.reread(); }, park ? &parking : nullptr),
          settler(
              rows, in_flight, outcomes, clock, relay::seeded_source(seed + 1), watch, rules(park), {15}, [] {},
              park ? &parking : nullptr) {}

    static relay::retry_rules rules(bool park) {
        conf::retry policy;
        policy.initial = 100ms;
        policy.jitter = 0.5;
        policy.max_retries = max_retries;
        return {policy, {}, park ? conf::unroutable::park : conf::unroutable::retry};
    }

    relay::observer watch;
    relay::parking parking;
    relay::in_flight in_flight;
    relay::send_queue queue;
    relay::outcome_queue outcomes;
    relay::reader reader;
    relay::pump pump;
    relay::settler settler;
};

class world {
  public:
    explicit world(std::uint64_t seed) : seed_(seed), random_(seed) {
        faults_ = chance(random_, 0.8);
        if (faults_) rows_.mishaps = broker_.mishaps = 0.02;
        rows_.meanwhile = [this] { others_run(); };
        ordered_ = chance(random_, 0.6);
        rows_.block = chance(random_, 0.5);
        park_ = broker_.returned_free = seed % 2 == 0;
        if (ordered_) broker_.on_send = [this](const std::string& id) { watch_order(id); };
        restart();
    }

    void run() {
        for (int step = 0; step < 400; ++step) {
            one_step();
            if (faults_) maybe_fault();
        }
        calm_down();
        for (int round = 0; round < 2'000 && !settled_down(); ++round) {
            process_->reader.run_once();
            process_->pump.run_once(0ms);
            process_->settler.run_once();
            process_->parking.tidy();
            if (ordered_ && rows_.block) delete_blocking_rows();
            clock_.advance(50ms);
        }
    }

    std::size_t parked() const { return rows_.parked; }

    /// What does not hold at the end; nothing should.
    std::vector<std::string> faults() const {
        std::vector<std::string> found;
        std::size_t duplicates = 0;
        for (const auto& [id, times] : broker_.taken) {
            if (rolled_back_.count(id) > 0) found.push_back("rolled back, but sent: " + id);
            duplicates += static_cast<std::size_t>(times - 1);
        }
        const auto allowed = broker_.unknowns + duplicates_allowed_;
        if (duplicates > allowed)
            found.push_back(std::to_string(duplicates) + " duplicates, " + std::to_string(allowed) + " explained");
        for (const auto& id : not_to_be_sent_) {
            if (broker_.sent.count(id) > 0) found.push_back("sent, though another had the lane in between: " + id);
        }
        for (const auto& [id, one] : rows_.rows) {
            const std::string which = " " + id + " to " + one.content.exchange + ", status " +
                                      std::to_string(one.status) + ", tries " + std::to_string(one.content.try_count);
            for (const auto* fault : faults_of(id, one)) found.push_back(fault + which);
        }
        if (process_->in_flight.size() > 0) found.push_back("rows are in flight for ever");
        found.insert(found.end(), overtaken_.begin(), overtaken_.end());
        return found;
    }

  private:
    bool arrives_in_the_end(const std::string& exchange) const {
        return exchange == "good" || (park_ && exchange == "unroutable");
    }

    std::vector<const char*> faults_of(const std::string& id, const row& one) const {
        std::vector<const char*> found;
        const auto expect = [&](bool holds, const char* fault) {
            if (!holds) found.push_back(fault);
        };
        const bool good = arrives_in_the_end(one.content.exchange);
        const bool taken = broker_.taken.count(id) > 0;
        const bool arrived = one.status == 1 || one.status == 3;
        expect(!arrived || taken, "recorded as delivered, but no queue has it:");
        expect(!good || arrived, "committed, but lost:");
        expect(good || (one.status == 2 && !one.last_error.empty()), "not failed, or without a reason:");
        if (taken && not_before_.count(id) > 0)
            expect(broker_.first_taken.at(id) >= not_before_.at(id), "sent before its time:");
        if (one.touched_by_others) return found;

        const auto spent = broker_.tries.find(id);
        const std::int64_t tries = spent == broker_.tries.end() ? 0 : spent->second;
        // Only a crash can lose the record of a try that the broker answered.
        expect(one.content.try_count <= tries, "a try was spent in vain:");
        expect(crashes_ > 0 || one.content.try_count == tries, "a try was not recorded:");
        if (!good && (one.content.exchange == "unroutable" || one.content.exchange == "refusing"))
            expect(one.content.try_count == max_retries + 1, "not as many tries as the policy has:");
        return found;
    }

    void one_step() {
        switch (pick(random_, 6)) {
            case 0: application(); break;
            case 1: read(); break;
            case 2: publish(); break;
            case 3: settle(); break;
            case 4: others_act(); break;
            default: clock_.advance(std::chrono::milliseconds(pick(random_, 30)));
        }
    }

    // Each part runs in its own thread, so while one waits for the database, the others go on.
    void read() {
        inside(reading_, [this] { process_->reader.run_once(); });
    }
    void publish() {
        inside(publishing_, [this] { process_->pump.run_once(0ms); });
    }
    void settle() {
        inside(settling_, [this] { process_->settler.run_once(); });
    }

    template <class Work>
    void inside(bool& flag, Work&& work) {
        if (flag) return;
        flag = true;
        work();
        flag = false;
    }

    void others_run() {
        for (std::size_t n = pick(random_, 4); n > 0; --n) {
            switch (pick(random_, 6)) {
                case 5:
                    if (faults_ && chance(random_, 0.02)) lane_changes_hands();
                    break;
                case 0: read(); break;
                case 1: publish(); break;
                case 2: settle(); break;
                case 3: application(); break;
                default: clock_.advance(std::chrono::milliseconds(pick(random_, 5)));
            }
        }
    }

    void application() {
        if (!open_transactions_.empty() && chance(random_, 0.5)) return end_transaction();
        std::vector<row> rows;
        // Transactions of the same key come one after the other: that is the application's part.
        std::string key = "k" + std::to_string(pick(random_, 4));
        for (const auto& other : open_transactions_) {
            if (other.front().content.order_key == key) key.clear();
        }
        if (chance(random_, 0.5)) key.clear();
        for (std::size_t n = 1 + pick(random_, 8); n > 0; --n) rows.push_back(new_row(key));
        open_transactions_.push_back(std::move(rows));
        if (chance(random_, 0.7)) end_transaction();
    }

    void end_transaction() {
        const auto which =
            open_transactions_.begin() + static_cast<std::ptrdiff_t>(pick(random_, open_transactions_.size()));
        const bool commit = chance(random_, 0.85);
        for (auto& one : *which) {
            const auto id = one.content.id;
            if (commit)
                rows_.rows.emplace(id, std::move(one));
            else
                rolled_back_.insert(id);
        }
        open_transactions_.erase(which);
    }

    // A message is only ever sent as the first of its key, by what is committed at that moment; but for those that an
    // operator has put back behind it.
    void watch_order(const std::string& id) {
        const auto sent = rows_.rows.find(id);
        if (sent == rows_.rows.end() || !sent->second.content.order_key) return;
        const auto place = [](const row& one) { return std::pair(one.content.create_time, one.content.id); };
        for (const auto& [other, one] : rows_.rows) {
            if (one.content.order_key != sent->second.content.order_key || !(place(one) < place(sent->second)))
                continue;
            if (one.touched_by_others && !rows_.block) continue;
            if (one.status == 0 || (rows_.block && one.status == 2))
                overtaken_.push_back(id + " has overtaken " + other);
        }
    }

    void delete_blocking_rows() {
        for (const char* key : {"k0", "k1", "k2", "k3"}) {
            const auto* first = rows_.head(key);
            if (first != nullptr && first->status == 2) rows_.rows.erase(std::string(first->content.id));
        }
    }

    row new_row(const std::string& key) {
        static constexpr std::array exchanges = {"unroutable", "refusing", "missing", "forbidden", "poison"};
        row one;
        auto& m = one.content;
        m.id = std::to_string(random_());
        m.body = std::string(pick(random_, 300), 'b');
        m.exchange = chance(random_, 0.85) ? "good" : exchanges[pick(random_, exchanges.size())];
        m.create_time = clock_.database_now();
        if (!key.empty()) {
            m.id = "o" + std::to_string(100'000 + ++serial_);
            m.order_key = key;
        }
        switch (pick(random_, 5)) {
            case 0: break;  // NULL
            case 1: m.next_try_time = 0; break;
            case 2:
                m.next_try_time = clock_.database_now() + static_cast<outbox::epoch_ms>(pick(random_, 3'000));
                not_before_[m.id] = *m.next_try_time;
                break;
            default: m.next_try_time = clock_.database_now();
        }
        return one;
    }

    // Consumers and operators change rows at any time.
    void others_act() {
        if (rows_.rows.empty()) return;
        auto one = std::next(rows_.rows.begin(), static_cast<std::ptrdiff_t>(pick(random_, rows_.rows.size())));
        const bool arrived = broker_.taken.count(one->first) > 0;
        if (arrived && one->second.status < 2 && chance(random_, 0.5)) one->second.status = 3;
        if (one->second.status == 2 && chance(random_, 0.1)) {
            one->second.status = 0;
            one->second.content.try_count = 0;
            one->second.touched_by_others = true;
        }
        if (one->second.status == 0 && chance(random_, 0.02)) rows_.rows.erase(one);
    }

    void maybe_fault() {
        if (chance(random_, 0.01)) broker_.away = !broker_.away;
        if (chance(random_, 0.01)) broker_.alarm = !broker_.alarm;
        if (park_ && chance(random_, 0.02)) broker_.bound = !broker_.bound;
        if (chance(random_, 0.01)) rows_.away = !rows_.away;
        if (chance(random_, 0.01)) crash();
        if (chance(random_, 0.01)) lane_changes_hands();
        if (chance(random_, 0.1)) lane_.held = true;
        if (chance(random_, 0.02) && !rows_.rows.empty())
            rows_.locked = {
                std::next(rows_.rows.begin(), static_cast<std::ptrdiff_t>(pick(random_, rows_.rows.size())))->first};
    }

    // Another sidecar delivers some of the rows: in the meantime, or while this one may not relay.
    void lane_changes_hands() {
        ++lane_.epoch;
        lane_.held = chance(random_, 0.7);
        for (auto& [id, one] : rows_.rows) {
            const bool due = one.content.next_try_time.value_or(0) <= clock_.database_now();
            if (one.status != 0 || one.content.exchange != "good" || !due || chance(random_, 0.5)) continue;
            if (broker_.sent.count(id) > 0)
                ++duplicates_allowed_;
            else
                not_to_be_sent_.insert(id);
            broker_.accept(id);
            one.status = 1;
            one.touched_by_others = true;
        }
    }

    void crash() {
        ++crashes_;
        duplicates_allowed_ += process_->in_flight.size();
        broker_.client_died();
        std::vector<relay::attempt> nobody_hears;
        broker_.close(nobody_hears);
        restart();
    }

    void restart() {
        process_ = std::make_unique<process>(rows_, broker_, lane_, clock_,
                                             seed_ + static_cast<std::uint64_t>(crashes_) * 7, ordered_, park_);
    }

    void calm_down() {
        while (!open_transactions_.empty()) end_transaction();
        broker_.away = broker_.alarm = rows_.away = false;
        broker_.mishaps = rows_.mishaps = 0;
        broker_.bound = park_;
        lane_.held = true;
        rows_.locked.clear();
        rows_.meanwhile = [] {};
    }

    bool settled_down() const {
        if (process_->in_flight.size() > 0) return false;
        for (const auto& [id, one] : rows_.rows) {
            if (one.status == 0) return false;
        }
        return true;
    }

    const std::uint64_t seed_;
    engine random_;
    turned_clock clock_;
    table rows_{random_, clock_};
    broker broker_{random_, clock_, window};
    single_lane lane_;
    std::unique_ptr<process> process_;
    bool faults_ = false;
    bool ordered_ = false;
    bool park_ = false;
    int serial_ = 0;
    std::vector<std::string> overtaken_;
    int crashes_ = 0;
    std::size_t duplicates_allowed_ = 0;
    bool reading_ = false, publishing_ = false, settling_ = false;
    std::vector<std::vector<row>> open_transactions_;
    std::set<std::string> rolled_back_;
    std::set<std::string> not_to_be_sent_;  // another sidecar had the lane, and has done it
    std::map<std::string, outbox::epoch_ms> not_before_;
};

TEST_CASE(
    "in thousands of histories no message is lost, none rolled back is sent, no try is spent in vain, and none "
    "overtakes an earlier one of its key") {
    const char* only = std::getenv("OUTBOX_TEST_SEED");
    const std::uint64_t first = only != nullptr ? std::strtoull(only, nullptr, 10) : 1;
    const std::uint64_t last = only != nullptr ? first : 2'000;
    std::size_t parked = 0;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        world one(seed);
        one.run();
        parked += one.parked();
        const auto faults = one.faults();
        const std::string what = faults.empty() ? std::string() : faults.front();
        CHECK_MESSAGE(faults.empty(), "OUTBOX_TEST_SEED=" << seed << ": " << faults.size() << " faults, " << what);
    }
    if (only == nullptr) CHECK(parked > 1'000);
}

}  // namespace
}  // namespace simulation
