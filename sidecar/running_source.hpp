#pragma once
// sidecar/running_source.hpp - one of the process's sources: its relay, one service after another, each with the
// settings that are the latest when it begins.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "conf/sources.hpp"
#include "relay/clock.hpp"
#include "sidecar/log.hpp"
#include "sidecar/service.hpp"
#include "sidecar/source_record.hpp"
#include "sidecar/trace_sender.hpp"

namespace sidecar {

/// All on one thread. Only a drain blocks, and has a thread of its own for that.
class running_source {
  public:
    /// `post` has the owner's thread do something soon. `ended`: it was told to end, and has.
    /// `emptied`, if given: nothing is left to deliver; more may come, and is relayed.
    struct owner {
        std::function<void(std::function<void()>)> post;
        std::function<void()> ended;
        std::function<void()> emptied;
    };

    running_source(const conf::settings& settings, const owner& who, std::shared_ptr<source_record> record,
                   const relay::clock& clock);
    ~running_source();
    running_source(const running_source&) = delete;
    running_source& operator=(const running_source&) = delete;

    /// Throws what the service's constructor throws.
    void start();

    /// From now on with these settings. True: for them it starts over, after a drain; or goes on although it was told
    /// to end.
    bool take(const conf::settings& fresh);

    /// Drains, and says so when it is over: `ended`.
    void end();
    bool leaving() const { return ending_; }
    bool over() const { return ending_ && !service_; }
    bool running() const { return service_.has_value(); }

    /// Makes a drain that is under way give up waiting.
    void cut_short();

    const std::string& name() const { return record_->name; }
    const conf::settings& settings() const { return settings_; }
    const std::shared_ptr<source_record>& record() const { return record_; }
    bool draining() const { return drain_.joinable(); }
    bool has_emptied() const { return delayed_.has_value(); }

    /// Of one that was to run until it is empty: what it has done.
    void report_emptied();

    /// To be called about every second.
    void tick();

  private:
    void warn_of_plain_webhooks();
    void drain(bool hand_over = false);
    void drained(farewell&& result);

    conf::settings settings_;
    const owner owner_;
    const relay::clock& clock_;
    const std::shared_ptr<source_record> record_;
    const relay::time_point began_ = clock_.now();
    std::optional<service> service_;
    std::optional<trace_sender> trace_sender_;
    bool may_hand_over_ = true;  // since the service began, the settings have named no other table
    std::vector<outbox::settlement> handed_over_;
    std::optional<std::uint64_t> delayed_;  // nothing else is left
    bool ending_ = false;
    std::thread drain_;
};

}  // namespace sidecar
