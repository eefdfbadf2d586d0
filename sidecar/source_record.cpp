#include "sidecar/source_record.hpp"

namespace sidecar {

std::string source_record::instance() const {
    const std::lock_guard lock(mutex_);
    return instance_;
}

void source_record::set_instance(const std::string& now) {
    const std::lock_guard lock(mutex_);
    instance_ = now;
}

void source_record::tell_pause(bool paused) {
    numbers.paused(paused);
    health.paused(paused);
    if (paused)
        out.warning("paused", "told to take up no rows; those in flight are finished");
    else
        out.info("resumed", "told to take up rows again");
}

void source_records::set(records all) {
    const std::lock_guard lock(mutex_);
    all_ = std::move(all);
}

// One that leaves meanwhile stays whole until it has been told of.
source_records::records source_records::all() const {
    const std::lock_guard lock(mutex_);
    return all_;
}

std::string source_records::metrics_text() const {
    const auto sources = all();
    std::vector<std::pair<std::string, const metrics*>> numbers;
    for (const auto& one : sources) numbers.emplace_back(one->name, &one->numbers);
    return metrics::text(numbers);
}

verdict source_records::gather(verdict (vitals::*asked)() const) const {
    verdict result;
    for (const auto& one : all()) {
        const auto of_one = (one->health.*asked)();
        result.good = result.good && of_one.good;
        for (const auto& why : of_one.reasons)
            result.reasons.push_back(one->name.empty() ? why : one->name + ": " + why);
    }
    return result;
}

verdict source_records::live() const { return gather(&vitals::live); }
verdict source_records::ready() const { return gather(&vitals::ready); }
verdict source_records::started() const { return gather(&vitals::started); }

}  // namespace sidecar
