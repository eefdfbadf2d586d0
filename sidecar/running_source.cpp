#include "sidecar/running_source.hpp"

#include <unistd.h>

#include <set>
#include <utility>

#include "conf/url.hpp"
#include "sidecar/version.hpp"
#include "sidecar/webhook.hpp"

namespace sidecar {
namespace {

outbox::epoch_ms unix_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

running_source::running_source(const conf::settings& settings, const owner& who, std::shared_ptr<source_record> record,
                               const relay::clock& clock)
    : settings_(settings), owner_(who), clock_(clock), record_(std::move(record)) {}

running_source::~running_source() {
    if (drain_.joinable()) drain_.join();
}

void running_source::start() {
    record_->health.starting(settings_);
    record_->spans.apply(settings_.tracing);
    delayed_.reset();
    may_hand_over_ = true;
    std::function<void(std::uint64_t)> on_emptied;
    if (owner_.emptied)
        on_emptied = [this](std::uint64_t delayed) {
            owner_.post([this, delayed] {
                delayed_ = delayed;
                owner_.emptied();
            });
        };
    service_.emplace(settings_, record_->all, std::move(on_emptied), &record_->asked.pause,
                     std::exchange(handed_over_, {}));
    record_->set_instance(service_->instance());
    trace_sender_.emplace(settings_.tracing, service_->instance(), record_->spans, record_->numbers, record_->out);
    std::string brokers;
    for (const auto& url : settings_.broker.urls) brokers += (brokers.empty() ? "" : " ") + conf::masked(url);
    record_->out.info("started", "relaying",
                      {{"version", version},
                       {"pid", getpid()},
                       {"instance", service_->instance()},
                       {"database", conf::masked(settings_.database.url)},
                       {"table", settings_.database.table},
                       {"brokers", brokers}});
    if (settings_.database.tls_use == conf::tls_mode::required && !settings_.database.tls.verify)
        record_->out.warning("database_unverified",
                             "database.tls.verify is off: anyone on the way can read and change what is stored");
    warn_of_plain_webhooks();
}

void running_source::warn_of_plain_webhooks() {
    std::set<std::string> origins;
    const auto look = [&](const std::string& url) {
        if (url.starts_with("http://")) origins.insert(origin_of(url));
    };
    look(settings_.webhook.url);
    for (const auto& route : settings_.webhook.routes) look(route.url);
    for (const auto& one : origins)
        record_->out.warning("webhook_unencrypted", "failures are told in plain text: anyone on the way can read them",
                             {{"url", one}});
}

bool running_source::take(const conf::settings& fresh) {
    auto unchanged = settings_;
    unchanged.log = fresh.log;
    // Only the relay counts rows for the metrics and the API.
    const auto counts = [](const conf::http& of) { return !of.metrics.empty() || !of.api.empty(); };
    if (counts(fresh.http) == counts(unchanged.http)) unchanged.http = fresh.http;
    const bool goes_on = std::exchange(ending_, false);  // and then begins anew when it is drained
    const bool starts_over = fresh != unchanged;
    // A reload that is under way hands over to whatever comes after this one.
    may_hand_over_ = may_hand_over_ && conf::same_table(fresh.database, settings_.database);
    settings_ = fresh;
    if (starts_over && service_) drain(may_hand_over_);
    return starts_over || goes_on;
}

void running_source::end() {
    ending_ = true;
    if (!service_) return owner_.ended();
    drain();
}

void running_source::cut_short() {
    if (service_) service_->cut_short();
}

void running_source::tick() {
    record_->reporter.tick();
    record_->asked.samples.tick(unix_ms());
}

void running_source::drain(bool hand_over) {
    if (drain_.joinable()) return;  // under way; what follows it is decided when it is done
    record_->health.stopping();
    drain_ = std::thread([this, hand_over] {
        auto result = service_->stop(hand_over);
        owner_.post([this, result = std::move(result)]() mutable { drained(std::move(result)); });
    });
}

void running_source::drained(farewell&& result) {
    drain_.join();
    // It ends, or the table has become another one meanwhile.
    if (ending_ || !may_hand_over_) {
        result.unsettled += result.handed_over.size();
        result.handed_over.clear();
    }
    service_.reset();
    trace_sender_.reset();
    record_->numbers.ended();
    record_->asked.samples.ended();
    record_->reporter.summarize();
    const auto given_up = result.unconfirmed + result.unsettled;
    const std::initializer_list<log_field> fields = {{"in_flight", result.in_flight},
                                                     {"unconfirmed", result.unconfirmed},
                                                     {"unsettled", result.unsettled},
                                                     {"handed_over", result.handed_over.size()},
                                                     {"took_ms", result.took.count()}};
    handed_over_ = std::move(result.handed_over);
    if (given_up == 0 && handed_over_.empty())
        record_->out.info("stopped", "stopped; everything in flight was settled", fields);
    else if (given_up == 0)
        record_->out.info("stopped",
                          "stopped; outcomes that the database did not take will be recorded with the new settings",
                          fields);
    else
        record_->out.warning("stopped", "stopped; rows whose outcome is not recorded will be sent again", fields);
    if (!ending_) return start();
    owner_.ended();
}

void running_source::report_emptied() {
    const auto done = record_->reporter.since_start();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - began_).count();
    const std::initializer_list<log_field> fields = {{"confirmed", done.confirmed},
                                                     {"failed", done.failed},
                                                     {"delayed", delayed_.value_or(0)},
                                                     {"seconds", seconds}};
    if (done.failed == 0)
        record_->out.info("emptied", "nothing is left to deliver", fields);
    else
        record_->out.warning("emptied", "nothing is left to deliver; messages have failed for good", fields);
}

}  // namespace sidecar
