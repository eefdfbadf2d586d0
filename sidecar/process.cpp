#include "sidecar/process.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <unistd.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "conf/load.hpp"
#include "conf/url.hpp"
#include "sidecar/api/front.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/http_front.hpp"
#include "sidecar/metrics.hpp"
#include "sidecar/observers.hpp"
#include "sidecar/reporter.hpp"
#include "sidecar/service.hpp"
#include "sidecar/service_manager.hpp"
#include "sidecar/trace_sender.hpp"
#include "sidecar/tracer.hpp"
#include "sidecar/version.hpp"
#include "sidecar/vitals.hpp"
#include "sidecar/webhook.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr auto tick_period = 1s;
// How long threads that hang in a call of the database or the broker may hold up the end, when its time is over.
constexpr auto grace = 2s;

outbox::epoch_ms unix_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Whether both are the same rows: who looks at them, and how, may differ.
bool same_table(const conf::database& one, const conf::database& other) {
    const auto a = conf::parse_url(one.url), b = conf::parse_url(other.url);
    return a.scheme == b.scheme && a.host == b.host && a.port == b.port && a.path == b.path && a.query == b.query &&
           one.table == other.table;
}

// All on the thread that calls run(); only a drain blocks, and has a thread of its own for that.
class process {
  public:
    process(const conf::settings& settings, bool until_empty, const std::function<conf::settings()>& reload, log& out)
        : settings_(settings), until_empty_(until_empty), reload_(reload), out_(out) {}

    ~process() {
        if (drain_.joinable()) drain_.join();
    }

    int run() {
        open_fronts(settings_);
        await_signal();
        await_tick();
        start();
        io_.run();
        return exit_code_;
    }

  private:
    void start() {
        vitals_.starting(settings_);
        tracer_.apply(settings_.tracing);
        std::function<void(std::uint64_t)> on_emptied;
        if (until_empty_)
            on_emptied = [this](std::uint64_t delayed) {
                boost::asio::post(io_, [this, delayed] { emptied(delayed); });
            };
        service_.emplace(settings_, observers_, std::move(on_emptied), &lasting_.pause,
                         std::exchange(handed_over_, {}));
        {
            const std::lock_guard lock(instance_mutex_);
            instance_ = service_->instance();
        }
        trace_sender_.emplace(settings_.tracing, service_->instance(), tracer_, metrics_, out_);
        std::string brokers;
        for (const auto& url : settings_.broker.urls) brokers += (brokers.empty() ? "" : " ") + conf::masked(url);
        out_.info("started", "relaying",
                  {{"version", version},
                   {"pid", getpid()},
                   {"instance", service_->instance()},
                   {"database", conf::masked(settings_.database.url)},
                   {"table", settings_.database.table},
                   {"brokers", brokers}});
        if (settings_.database.tls_use == conf::tls_mode::required && !settings_.database.tls.verify)
            out_.warning("database_unverified",
                         "database.tls.verify is off: anyone on the way can read and change what is stored");
        warn_of_plain_webhooks();
    }

    void warn_of_plain_webhooks() {
        std::set<std::string> origins;
        const auto look = [&](const std::string& url) {
            if (url.starts_with("http://")) origins.insert(origin_of(url));
        };
        look(settings_.webhook.url);
        for (const auto& route : settings_.webhook.routes) look(route.url);
        for (const auto& one : origins)
            out_.warning("webhook_unencrypted", "failures are told in plain text: anyone on the way can read them",
                         {{"url", one}});
    }

    void tell_pause(bool paused) {
        metrics_.paused(paused);
        vitals_.paused(paused);
        if (paused)
            out_.warning("paused", "told to take up no rows; those in flight are finished");
        else
            out_.info("resumed", "told to take up rows again");
    }

    void await_signal() {
        signals_.async_wait([this](const boost::system::error_code& error, int signal) {
            if (error) return;
            await_signal();
            signal == SIGHUP ? reload() : end(signal);
        });
    }

    void await_tick() {
        tick_.expires_after(tick_period);
        tick_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            reporter_.tick();
            lasting_.samples.tick(unix_ms());
            tell_manager();
            await_tick();
        });
    }

    void tell_manager() {
        std::string status;
        for (const auto& why : vitals_.ready().reasons) status += (status.empty() ? "" : "; ") + why;
        manager_.look(!drain_.joinable() && vitals_.started().good, vitals_.live().good,
                      status.empty() ? "ready to relay" : status);
    }

    void end(int signal) {
        const char* name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
        if (std::exchange(told_to_stop_, true)) {
            out_.warning("cut_short", "told to stop a second time: giving up what is in flight", {{"signal", name}});
            exit_code_ = exit_code::failed;
            service_->cut_short();
            give_up_in(grace);
            return;
        }
        if (ending_) return;  // by itself, as nothing is left
        out_.info("stopping", "told to stop: finishing what is in flight", {{"signal", name}});
        if (until_empty_) exit_code_ = exit_code::failed;
        finish();
    }

    void emptied(std::uint64_t delayed) {
        if (ending_) return;
        delayed_ = delayed;
        finish();
    }

    void finish() {
        ending_ = true;
        if (api_) api_->wind_up();
        manager_.stopping(settings_.relay.drain_timeout + 2 * grace);
        drain();
        give_up_in(settings_.relay.drain_timeout + grace);
    }

    void reload() {
        if (ending_) return;
        manager_.reloading();
        take_fresh_settings();
        tell_manager();
    }

    void take_fresh_settings() {
        conf::settings fresh;
        try {
            fresh = reload_();
        } catch (const conf::invalid& error) {
            for (const auto& one : error.problems()) out_.error("reload_refused", one.what, {{"where", one.where}});
            return;
        }
        lasting_.who.refresh();
        if (!listen(fresh)) return;
        out_.apply(fresh.log);
        auto unchanged = settings_;
        unchanged.log = fresh.log;
        // Only the relay counts rows for the metrics and the API.
        const auto counts = [](const conf::http& of) { return !of.metrics.empty() || !of.api.empty(); };
        if (counts(fresh.http) == counts(unchanged.http)) unchanged.http = fresh.http;
        const bool relay_unchanged = fresh == unchanged;
        // A reload that is under way hands over to whatever comes after this one.
        const bool hand_over = same_table(fresh.database, settings_.database) && may_hand_over_;
        may_hand_over_ = hand_over;
        settings_ = std::move(fresh);
        out_.info("reloaded",
                  relay_unchanged ? "configuration read again" : "configuration read again: starting over with it");
        if (!relay_unchanged) drain(hand_over);
    }

    // The handlers of the API work with the settings, so it begins anew with each other ones.
    void open_fronts(const conf::settings& settings) {
        front_.emplace(settings.http, vitals_, metrics_, out_);
        open_api(settings);
    }

    void open_api(const conf::settings& settings) {
        lasting_.samples.watch(!settings.http.api.empty());
        if (settings.http.api.empty()) return;
        api_.emplace(
            settings, lasting_, vitals_,
            [this] {
                const std::lock_guard lock(instance_mutex_);
                return instance_;
            },
            out_);
    }

    // False: that can't be, and all stays as it was.
    bool listen(const conf::settings& fresh) {
        auto as_before = settings_;
        as_before.log = fresh.log;
        // Its certificate may be another one, too.
        if (fresh == as_before && fresh.http.access.cert_file.empty()) return true;
        const bool front_too = fresh.http != settings_.http;
        // Or its own addresses would be in use.
        api_.reset();
        if (front_too) front_.reset();
        try {
            front_too ? open_fronts(fresh) : open_api(fresh);
            return true;
        } catch (const http_unavailable& error) {
            out_.error("reload_refused", error.what());
        } catch (const conf::invalid& error) {
            for (const auto& one : error.problems()) out_.error("reload_refused", one.what, {{"where", one.where}});
        }
        api_.reset();
        if (front_too) front_.reset();
        try {
            front_too ? open_fronts(settings_) : open_api(settings_);
        } catch (const http_unavailable& error) {
            out_.error("http_unavailable", error.what());
        } catch (const conf::invalid& error) {
            out_.error("http_unavailable", error.what());
        }
        return false;
    }

    void drain(bool hand_over = false) {
        if (drain_.joinable()) return;  // under way for a reload; what follows it is decided when it is done
        vitals_.stopping();
        drain_ = std::thread([this, hand_over] {
            auto result = service_->stop(hand_over);
            boost::asio::post(io_, [this, result = std::move(result)]() mutable { drained(std::move(result)); });
        });
    }

    void drained(farewell&& result) {
        drain_.join();
        // The process ends, or the table has become another one meanwhile.
        if (ending_ || !std::exchange(may_hand_over_, true)) {
            result.unsettled += result.handed_over.size();
            result.handed_over.clear();
        }
        service_.reset();
        trace_sender_.reset();
        metrics_.ended();
        lasting_.samples.ended();
        reporter_.summarize();
        const auto given_up = result.unconfirmed + result.unsettled;
        const std::initializer_list<log_field> fields = {{"in_flight", result.in_flight},
                                                         {"unconfirmed", result.unconfirmed},
                                                         {"unsettled", result.unsettled},
                                                         {"handed_over", result.handed_over.size()},
                                                         {"took_ms", result.took.count()}};
        handed_over_ = std::move(result.handed_over);
        if (given_up == 0 && handed_over_.empty())
            out_.info("stopped", "stopped; everything in flight was settled", fields);
        else if (given_up == 0)
            out_.info("stopped",
                      "stopped; outcomes that the database did not take will be recorded with the new settings",
                      fields);
        else
            out_.warning("stopped", "stopped; rows whose outcome is not recorded will be sent again", fields);
        if (!ending_) return start();
        if (delayed_) report_emptied();
        io_.stop();
    }

    void report_emptied() {
        const auto done = reporter_.since_start();
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - began_).count();
        const std::initializer_list<log_field> fields = {
            {"confirmed", done.confirmed}, {"failed", done.failed}, {"delayed", *delayed_}, {"seconds", seconds}};
        if (done.failed == 0)
            out_.info("emptied", "nothing is left to deliver", fields);
        else
            out_.warning("emptied", "nothing is left to deliver; messages have failed for good", fields);
    }

    // Nothing is lost by it: what is not recorded is sent again.
    void give_up_in(std::chrono::milliseconds time) {
        give_up_.expires_after(time);
        give_up_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            out_.error("stopped",
                       "quit while the database or the broker held up the end; what is not recorded will be "
                       "sent again");
            std::_Exit(exit_code::failed);
        });
    }

    conf::settings settings_;
    const bool until_empty_;
    const std::function<conf::settings()>& reload_;
    log& out_;
    const relay::steady_clock clock_;
    reporter reporter_{out_, clock_};
    metrics metrics_{clock_};
    vitals vitals_{settings_, clock_};
    service_manager manager_{std::getenv("NOTIFY_SOCKET"), std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID")};
    tracer tracer_{[this](std::size_t spans) { metrics_.spans(metrics::span_fate::dropped, spans); }};
    api::lasting lasting_{clock_, out_, [this](bool paused) { tell_pause(paused); }};
    observers observers_{{&reporter_, &metrics_, &vitals_, &tracer_, &lasting_.samples}};
    std::mutex instance_mutex_;
    std::string instance_;  // guarded by instance_mutex_
    std::optional<http_front> front_;
    std::optional<api::front> api_;

    boost::asio::io_context io_;
    boost::asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    boost::asio::steady_timer tick_{io_};
    boost::asio::steady_timer give_up_{io_};

    std::optional<service> service_;
    std::optional<trace_sender> trace_sender_;
    std::thread drain_;
    bool may_hand_over_ = true;  // since the service began, the settings have named no other table
    std::vector<outbox::settlement> handed_over_;
    const relay::time_point began_ = clock_.now();
    std::optional<std::uint64_t> delayed_;  // nothing else is left
    bool told_to_stop_ = false;
    bool ending_ = false;
    int exit_code_ = exit_code::success;
};

// An exception that leaves one of the service's threads can't be caught anywhere, but it can be told.
log* last_words = nullptr;

[[noreturn]] void terminated() {
    const char* what = "unknown";
    try {
        if (const auto error = std::current_exception()) std::rethrow_exception(error);
    } catch (const std::exception& error) {
        what = error.what();
        if (last_words != nullptr) last_words->error("internal_error", what);
    } catch (...) {
        if (last_words != nullptr) last_words->error("internal_error", what);
    }
    std::_Exit(exit_code::internal);
}

}  // namespace

int run_process(const conf::settings& settings, bool until_empty, const std::function<conf::settings()>& reload,
                log& out) {
    last_words = &out;
    std::set_terminate(terminated);
    return process(settings, until_empty, reload, out).run();
}

}  // namespace sidecar
