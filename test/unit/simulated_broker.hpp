#pragma once
// test/unit/simulated_broker.hpp - a broker that takes messages in order, answers late and in lumps, and loses its
// connection with messages and confirms on the way.

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "relay/confirm_window.hpp"
#include "relay/publisher.hpp"
#include "simulated_table.hpp"

namespace simulation {

/// What a message's exchange says happens to it: "good", "unroutable", "refusing", "missing", "poison" (the channel
/// closes without naming anybody), "forbidden".
class broker final : public relay::publisher {
  public:
    broker(engine& random, const turned_clock& clock, std::size_t window)
        : random_(random), clock_(clock), window_(window) {}

    relay::link state() const override { return state_; }
    std::size_t room() const override { return state_ == relay::link::up ? window_.room() : 0; }
    std::uint64_t max_body() const override { return 0; }
    void send(relay::outgoing&& message, std::vector<relay::attempt>& outcomes) override;
    void poll(std::chrono::milliseconds wait, std::vector<relay::attempt>& outcomes) override;
    std::size_t outstanding() const override { return window_.outstanding(); }
    void close(std::vector<relay::attempt>& outcomes) override { cut(outcomes); }
    void wake() override {}
    void abort() override {}

    bool away = false;
    bool alarm = false;
    bool bound = false;          // what is sent to "unroutable" arrives, after all
    bool returned_free = false;  // what is returned costs no try
    double mishaps = 0;

    std::set<std::string> sent;        // ids that ever were
    std::map<std::string, int> taken;  // id → how often a queue has it
    std::map<std::string, int> tries;  // id → how often the broker's word cost it a try
    std::size_t unknowns = 0;          // outcomes unknown: so many duplicates are possible
    std::map<std::string, outbox::epoch_ms> first_taken;
    std::function<void(const std::string& id)> on_send = [](const std::string&) {};

    /// A queue has it.
    void accept(const std::string& id);

    /// A process that dies takes its connection along; what the broker has on the wire may still arrive.
    void client_died();

  private:
    struct on_wire {
        std::uint64_t tag;
        std::string id, message_id, exchange;
    };
    struct answer {
        std::uint64_t tag;
        bool ack;
    };

    bool wanted(const std::string& exchange) const { return exchange == "good" || (bound && exchange == "unroutable"); }
    void cut(std::vector<relay::attempt>& outcomes);
    void take_from_wire(std::vector<relay::attempt>& outcomes);
    void say_answers(std::vector<relay::attempt>& outcomes);
    void close_channel(int code, const std::string& text, std::vector<relay::attempt>& outcomes);
    void count(std::vector<relay::attempt>& outcomes, std::size_t from);

    engine& random_;
    const turned_clock& clock_;
    relay::confirm_window window_;
    relay::link state_ = relay::link::down;
    std::uint64_t next_tag_ = 1;
    std::deque<on_wire> wire_;
    std::deque<answer> answers_;
};

}  // namespace simulation
