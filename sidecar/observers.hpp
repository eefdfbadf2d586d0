#pragma once
// sidecar/observers.hpp - tells several what the relay tells one.

#include <utility>
#include <vector>

#include "relay/observer.hpp"

namespace sidecar {

/// Any thread. Those it tells have to outlive it.
class observers final : public relay::observer {
  public:
    explicit observers(std::vector<relay::observer*> all) : all_(std::move(all)) {}

    void broker_up(std::string_view where) override {
        tell([&](auto& one) { one.broker_up(where); });
    }
    void broker_down(std::string_view why, std::chrono::milliseconds next_try) override {
        tell([&](auto& one) { one.broker_down(why, next_try); });
    }
    void broker_blocked(std::string_view reason) override {
        tell([&](auto& one) { one.broker_blocked(reason); });
    }
    void broker_unblocked() override {
        tell([](auto& one) { one.broker_unblocked(); });
    }
    void broker_warning(std::string_view text) override {
        tell([&](auto& one) { one.broker_warning(text); });
    }

    void database_up(std::string_view role) override {
        tell([&](auto& one) { one.database_up(role); });
    }
    void database_down(std::string_view role, std::string_view why) override {
        tell([&](auto& one) { one.database_down(role, why); });
    }
    void database_error(std::string_view role, std::string_view what) override {
        tell([&](auto& one) { one.database_error(role, what); });
    }

    void lane_taken(unsigned lane, unsigned of) override {
        tell([&](auto& one) { one.lane_taken(lane, of); });
    }
    void lane_lost(unsigned lane, std::string_view why) override {
        tell([&](auto& one) { one.lane_lost(lane, why); });
    }
    void lane_released(unsigned lane, std::string_view to) override {
        tell([&](auto& one) { one.lane_released(lane, to); });
    }
    void standing_by() override {
        tell([](auto& one) { one.standing_by(); });
    }
    void lanes_waiting(unsigned ours, unsigned theirs) override {
        tell([&](auto& one) { one.lanes_waiting(ours, theirs); });
    }
    void lanes_unprotected() override {
        tell([](auto& one) { one.lanes_unprotected(); });
    }

    void attempted(const relay::attempt& what) override {
        tell([&](auto& one) { one.attempted(what); });
    }
    void attempted_all(std::span<const relay::attempt> batch) override {
        tell([&](auto& one) { one.attempted_all(batch); });
    }
    void retrying(const relay::delivery& row, std::int64_t tries, std::chrono::milliseconds in,
                  std::string_view error) override {
        tell([&](auto& one) { one.retrying(row, tries, in, error); });
    }
    void failed(const relay::delivery& row, std::int64_t tries, std::string_view error) override {
        tell([&](auto& one) { one.failed(row, tries, error); });
    }
    void parked(std::string_view exchange, std::string_view routing_key, std::string_view why) override {
        tell([&](auto& one) { one.parked(exchange, routing_key, why); });
    }
    void unparked(std::string_view exchange, std::string_view routing_key, std::optional<std::size_t> rows) override {
        tell([&](auto& one) { one.unparked(exchange, routing_key, rows); });
    }
    void parking(std::size_t keys, std::uint64_t rows) override {
        tell([&](auto& one) { one.parking(keys, rows); });
    }
    void settled(std::size_t asked, std::size_t changed, std::chrono::microseconds took) override {
        tell([&](auto& one) { one.settled(asked, changed, took); });
    }
    void purged(const relay::purge_report& report) override {
        tell([&](auto& one) { one.purged(report); });
    }

    void receipts_up(std::string_view where) override {
        tell([&](auto& one) { one.receipts_up(where); });
    }
    void receipts_down(std::string_view why, std::chrono::milliseconds next_try) override {
        tell([&](auto& one) { one.receipts_down(why, next_try); });
    }
    void receipts_taken(std::size_t changed, std::size_t unchanged, std::span<const std::string> unknown) override {
        tell([&](auto& one) { one.receipts_taken(changed, unchanged, unknown); });
    }

    void redelivered(std::size_t rows) override {
        tell([&](auto& one) { one.redelivered(rows); });
    }

    void turned(relay::loop which) override {
        tell([&](auto& one) { one.turned(which); });
    }
    void carrying(std::size_t rows) override {
        tell([&](auto& one) { one.carrying(rows); });
    }
    void database_clock(outbox::epoch_ms now, relay::time_point asked, std::chrono::microseconds took) override {
        tell([&](auto& one) { one.database_clock(now, asked, took); });
    }
    void counted(const std::optional<outbox::census>& what) override {
        tell([&](auto& one) { one.counted(what); });
    }
    void notice(const relay::notice_report& report) override {
        tell([&](auto& one) { one.notice(report); });
    }
    void notices_waiting(std::uint64_t entries) override {
        tell([&](auto& one) { one.notices_waiting(entries); });
    }
    void dead_letters(const relay::letter_report& report) override {
        tell([&](auto& one) { one.dead_letters(report); });
    }
    void management_up() override {
        tell([](auto& one) { one.management_up(); });
    }
    void management_down(std::string_view why) override {
        tell([&](auto& one) { one.management_down(why); });
    }
    void dead_letters_left_out(std::size_t queues) override {
        tell([&](auto& one) { one.dead_letters_left_out(queues); });
    }
    void dead_letters_trouble(std::string_view queue, std::string_view why) override {
        tell([&](auto& one) { one.dead_letters_trouble(queue, why); });
    }

  private:
    template <class Event>
    void tell(Event&& event) {
        for (auto* one : all_) event(*one);
    }

    const std::vector<relay::observer*> all_;
};

}  // namespace sidecar
