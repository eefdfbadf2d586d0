#include <atomic>
#include <thread>

#include "relay/pump.hpp"
#include "relay/reader.hpp"
#include "relay/settler.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/benches.hpp"
#include "test/support/waiting.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

// Confirms whatever it is given, at once.
class instant_publisher final : public relay::publisher {
  public:
    explicit instant_publisher(std::size_t window) : window_(window) {}

    relay::link state() const override { return relay::link::up; }
    std::size_t room() const override { return window_; }
    std::uint64_t max_body() const override { return 0; }
    void send(relay::outgoing&& message, std::vector<relay::attempt>& outcomes) override {
        outcomes.push_back({std::move(message.row), relay::confirmed{}});
    }
    void poll(std::chrono::milliseconds wait, std::vector<relay::attempt>& outcomes) override {
        if (outcomes.empty() && wait > 0ms) bell_.wait(wait);
    }
    std::size_t outstanding() const override { return 0; }
    void close(std::vector<relay::attempt>&) override {}
    void wake() override { bell_.ring(); }
    void abort() override {}

  private:
    const std::size_t window_;
    relay::bell bell_;
};

class counting : public relay::observer {
  public:
    void settled(std::size_t, std::size_t changed, std::chrono::microseconds) override { rows += changed; }
    std::atomic<std::size_t> rows{0};
};

// As sidecar/service.cpp puts the parts together, with the shipped settings.
// The only sidecar there is, so nobody takes the lane away.
struct only_lane final : relay::lanes {
    relay::open_lanes open() const override { return {{1, {0}}, {0}}; }
    bool is_open(unsigned, std::int64_t) const override { return true; }
};

class instant_relay {
  public:
    explicit instant_relay(const conf::database& database)
        : reader_store_(outbox::make_store(database, {.after_delivery = {}, .role = "reader"})),
          settler_store_(outbox::make_store(database, {.after_delivery = {}, .role = "settler"})) {
        threads_.emplace_back([this] {
            while (!stop_) {
                if (const auto wait = reader_.run_once(); wait > 0ms && !stop_) bell_.wait(wait);
            }
            reader_.abandon();
        });
        threads_.emplace_back([this] {
            while (!stop_) pump_.run_once(250ms);
            pump_.close();
        });
        threads_.emplace_back([this] {
            while (!stop_) {
                if (const auto wait = settler_.run_once(); wait > 0ms) outcomes_.wait(wait);
            }
        });
    }

    ~instant_relay() {
        stop_ = true;
        bell_.ring();
        publisher_.wake();
        outcomes_.ring();
        for (auto& thread : threads_) thread.join();
    }

    std::size_t settled() const { return watch_.rows; }

  private:
    const conf::relay settings_;
    const relay::steady_clock clock_;
    counting watch_;
    std::unique_ptr<outbox::store> reader_store_;
    std::unique_ptr<outbox::store> settler_store_;
    relay::bell bell_;
    instant_publisher publisher_{settings_.window};
    relay::in_flight in_flight_{2 * (settings_.window + settings_.page_rows)};
    relay::outcome_queue outcomes_;
    relay::send_queue queue_{settings_.window_bytes.count, [this] { publisher_.wake(); }, [this] { bell_.ring(); }};
    const only_lane lane_;
    relay::reader reader_{*reader_store_, lane_,
                          in_flight_,     queue_,
                          clock_,         relay::seeded_source(1),
                          watch_,         {settings_.page_rows, {settings_.poll_min, settings_.poll_max}}};
    relay::pump pump_{publisher_, lane_, queue_, outcomes_, in_flight_, relay::composer({}), watch_, [this] {
                          reader_.reread();
                          bell_.ring();
                      }};
    relay::settler settler_{*settler_store_,
                            in_flight_,
                            outcomes_,
                            clock_,
                            relay::seeded_source(1),
                            watch_,
                            relay::retry_rules({}, {}),
                            {settings_.settle_rows},
                            [this] { bell_.ring(); }};
    std::atomic<bool> stop_{false};
    std::vector<std::thread> threads_;
};

double relay_rate(scene& at, const support::table& table, std::size_t rows) {
    const auto since = database_ms(at.server);
    {
        const instant_relay relay(table.settings());
        if (!support::eventually([&] { return relay.settled() >= rows; }))
            throw std::runtime_error("the database side does not get done");
    }
    return settled_rate(at.server, table, since);
}

}  // namespace

std::vector<figure> database_only(scene& at) {
    std::vector<double> ours, bare;
    const std::size_t rows = at.of.quorum_256;
    for (int round = 0; round < at.of.rounds; ++round) {
        const auto table = support::table::recommended(), other = support::table::recommended();
        fill(at.server, table, "nowhere", rows);
        bare.push_back(bare_loop_rate(at.server, table));
        fill(at.server, other, "nowhere", rows);
        ours.push_back(relay_rate(at, other, rows));
    }
    return {compared("database_only", "rows/s", ours, bare, {better::more, 0.9, 1.2})};
}

}  // namespace bench
