#pragma once
// sidecar/tracer.hpp - turns attempts into spans, and keeps them until the exporter comes for them. What does not find
// room is dropped and counted: nothing waits for a collector.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "conf/settings.hpp"
#include "relay/bell.hpp"
#include "relay/observer.hpp"
#include "sidecar/otlp.hpp"

namespace sidecar {

/// Any thread, but for what says otherwise. Costs nothing while tracing is off.
class tracer final : public relay::observer {
  public:
    /// `dropped` is told how many found no room.
    explicit tracer(std::function<void(std::size_t)> dropped);

    /// From now on: without an endpoint no spans are made, and those that are kept go.
    void apply(const conf::tracing& settings);

    void broker_up(std::string_view where) override;
    void attempted(const relay::attempt& one) override { attempted_all({&one, 1}); }
    void attempted_all(std::span<const relay::attempt> batch) override;

    /// The oldest spans, at most `limit`, which are no longer kept here.
    std::vector<publish_span> take(std::size_t limit);

    /// For one thread: returns when the half of the room is taken, at wake(), or after `at_most`.
    void wait(std::chrono::milliseconds at_most) { bell_.wait(at_most); }
    void wake() { bell_.ring(); }

  private:
    std::optional<publish_span> span_of(const relay::attempt& one, relay::time_point now, std::uint64_t unix_now);

    const std::function<void(std::size_t)> dropped_;
    relay::bell bell_;
    std::mutex mutex_;  // guards what follows
    bool on_ = false;
    double ratio_ = 1.0;
    std::size_t room_ = 0;
    std::shared_ptr<const broker_address> broker_;
    std::deque<publish_span> spans_;
    std::mt19937_64 random_;
};

/// Delivers the tracer's spans. One thread.
class span_exporter {
  public:
    /// What became of one POST.
    struct answer {
        unsigned status = 0;  // HTTP; 0: there was none
        std::string why;      // then, why
        std::optional<std::chrono::seconds> retry_after = std::nullopt;
    };
    struct watcher {
        std::function<void(std::size_t spans)> delivered;
        std::function<void(std::size_t spans, const std::string& why)> refused;  // they are dropped
        std::function<void(const std::string& why)> down;                        // tried again; once until up()
        std::function<void()> up;
    };

    span_exporter(tracer& from, const conf::tracing& settings, span_resource who,
                  std::function<answer(const std::string& body)> post, watcher watch);

    /// Delivers what there is, in batches; returns how long to wait for the next time. A collector that is away or busy
    /// is tried again later with the same batch, up to 30 s later.
    std::chrono::milliseconds run_once();

  private:
    bool deliver();
    void fail(const answer& got);

    tracer& from_;
    const conf::tracing settings_;
    const span_resource who_;
    const std::function<answer(const std::string&)> post_;
    const watcher watch_;
    std::vector<publish_span> batch_;  // being delivered
    bool down_ = false;
    std::chrono::milliseconds pause_{0};
};

}  // namespace sidecar
