#pragma once
// sidecar/source_record.hpp - what is told of the sources, by log, metrics and probes: of each by itself, and of all
// together. It outlasts the services that relay them.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conf/sources.hpp"
#include "relay/clock.hpp"
#include "sidecar/api/front.hpp"
#include "sidecar/log.hpp"
#include "sidecar/metrics.hpp"
#include "sidecar/observers.hpp"
#include "sidecar/reporter.hpp"
#include "sidecar/tracer.hpp"
#include "sidecar/vitals.hpp"

namespace sidecar {

/// Of one source.
struct source_record {
    source_record(const conf::source& of, const log& out_in, const relay::clock& clock)
        : name(of.name),
          out(out_in.of(of.name)),
          reporter(out, clock),
          numbers(clock),
          health(of.settings, clock),
          asked(clock, out, [this](bool paused) { tell_pause(paused); }) {}

    /// The owner that stands in msg_lane, of the service that is relaying. Any thread.
    std::string instance() const;
    void set_instance(const std::string& now);

    const std::string name;
    log out;
    sidecar::reporter reporter;
    metrics numbers;
    vitals health;
    tracer spans{[this](std::size_t count) { numbers.spans(metrics::span_fate::dropped, count); }};
    api::lasting asked;
    observers all{{&reporter, &numbers, &health, &spans, &asked.samples}};

  private:
    void tell_pause(bool paused);

    mutable std::mutex mutex_;
    std::string instance_;  // guarded by mutex_
};

/// Of all sources there are. Any thread.
class source_records {
  public:
    void set(std::vector<std::shared_ptr<const source_record>> all);

    std::string metrics_text() const;

    // As of vitals; reasons begin with the source's name, if it has one.
    verdict live() const;
    verdict ready() const;
    verdict started() const;

  private:
    using records = std::vector<std::shared_ptr<const source_record>>;

    records all() const;
    verdict gather(verdict (vitals::*asked)() const) const;

    mutable std::mutex mutex_;
    records all_;  // guarded by mutex_
};

}  // namespace sidecar
