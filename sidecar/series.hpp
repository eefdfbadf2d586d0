#pragma once
// sidecar/series.hpp - how series are made with prometheus-cpp. Only for metrics.cpp.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sidecar::series {

inline prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& in, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(in);
}

inline prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& in, const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(in);
}

inline prometheus::Counter& counter(prometheus::Registry& in, const char* name, const char* help) {
    return counters(in, name, help).Add({});
}

inline prometheus::Gauge& gauge(prometheus::Registry& in, const char* name, const char* help,
                                const prometheus::Labels& labels = {}) {
    return gauges(in, name, help).Add(labels);
}

inline prometheus::Histogram& histogram(prometheus::Registry& in, const char* name, const char* help,
                                        const std::vector<double>& bounds) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(in).Add({}, bounds);
}

/// Observations gathered before they go to a histogram at once: each by itself would take its lock. One thread.
class tally {
  public:
    /// `bounds` as the histogram's.
    explicit tally(const std::vector<double>& bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}

    void add(double value) {
        const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
        ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
        sum_ += value;
        any_ = true;
    }

    /// And is empty afterwards.
    void pour_into(prometheus::Histogram& histogram) {
        if (!any_) return;
        histogram.ObserveMultiple(counts_, sum_);
        std::fill(counts_.begin(), counts_.end(), 0.0);
        sum_ = 0;
        any_ = false;
    }

  private:
    const std::vector<double> bounds_;
    std::vector<double> counts_;
    double sum_ = 0;
    bool any_ = false;
};

}  // namespace sidecar::series
