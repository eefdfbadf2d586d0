#pragma once
// sidecar/trace_sender.hpp - brings the tracer's spans to the collector that the settings name.

#include <memory>
#include <string>

#include "conf/settings.hpp"
#include "sidecar/log.hpp"
#include "sidecar/metrics.hpp"
#include "sidecar/tracer.hpp"

namespace sidecar {

/// Delivers from construction to destruction, in a thread of its own; at the end, what is left by then is given a last
/// second. Nothing else waits for it.
class trace_sender {
  public:
    /// `instance` becomes service.instance.id. Without an endpoint nothing is done. Throws std::invalid_argument for
    /// certificates that can't be used.
    trace_sender(const conf::tracing& settings, const std::string& instance, tracer& from, metrics& numbers, log& out);
    ~trace_sender();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sidecar
