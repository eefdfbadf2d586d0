#pragma once
// sidecar/metrics.hpp - what the relay does, as numbers for Prometheus. README.md lists every series.

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "relay/clock.hpp"
#include "relay/observer.hpp"

namespace sidecar {

/// Any thread. What is called per message counts a whole batch at once.
class metrics final : public relay::observer {
  public:
    explicit metrics(const relay::clock& clock);
    ~metrics() override;

    /// All series in the text format 0.0.4. Every one is there from the start, but for those that only some databases
    /// have.
    std::string text() const;
    /// Those of several sources in one, by the names of the sources: each series has a label `source`, but for what is
    /// said of the process. An empty name adds no label.
    static std::string text(std::span<const std::pair<std::string, const metrics*>> all);
    static constexpr auto content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// What became of spans: they were delivered, refused by the collector, or dropped for want of room.
    enum class span_fate { delivered, refused, dropped };
    void spans(span_fate what, std::size_t count);

    /// A relay has ended: it is connected to nothing and holds nothing any more. Its counts stay.
    void ended();

    /// The relay takes no rows up, or does again.
    void paused(bool is);

    void broker_up(std::string_view where) override;
    void broker_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void broker_blocked(std::string_view reason) override;
    void broker_unblocked() override;
    void database_up(std::string_view role) override;
    void database_down(std::string_view role, std::string_view why) override;
    void database_error(std::string_view role, std::string_view what) override;
    void lane_taken(unsigned lane, unsigned of) override;
    void lane_lost(unsigned lane, std::string_view why) override;
    void lane_released(unsigned lane, std::string_view to) override;
    void lanes_unprotected() override;
    void attempted(const relay::attempt& one) override { attempted_all({&one, 1}); }
    void attempted_all(std::span<const relay::attempt> batch) override;
    void retrying(const relay::delivery& row, std::int64_t tries, std::chrono::milliseconds in,
                  std::string_view error) override;
    void failed(const relay::delivery& row, std::int64_t tries, std::string_view error) override;
    void parking(std::size_t keys, std::uint64_t rows) override;
    void settled(std::size_t asked, std::size_t changed, std::chrono::microseconds took) override;
    void purged(const relay::purge_report& report) override;
    void receipts_up(std::string_view where) override;
    void receipts_down(std::string_view why, std::chrono::milliseconds next_try) override;
    void receipts_taken(std::size_t changed, std::size_t unchanged, std::span<const std::string> unknown) override;
    void redelivered(std::size_t rows) override;
    void carrying(std::size_t rows) override;
    void database_clock(outbox::epoch_ms now, relay::time_point asked, std::chrono::microseconds took) override;
    void counted(const std::optional<outbox::census>& what) override;
    void notice(const relay::notice_report& report) override;
    void notices_waiting(std::uint64_t entries) override;
    void management_up() override;
    void management_down(std::string_view why) override;
    void dead_letters_left_out(std::size_t queues) override;
    void dead_letters(const relay::letter_report& report) override;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sidecar
