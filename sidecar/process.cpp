#include "sidecar/process.hpp"

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <list>
#include <memory>
#include <optional>

#include "conf/load.hpp"
#include "sidecar/api/front.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/http_front.hpp"
#include "sidecar/running_source.hpp"
#include "sidecar/service_manager.hpp"
#include "sidecar/source_record.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr auto tick_period = 1s;
// How long threads that hang in a call of the database or the broker may hold up the end, when its time is over.
constexpr auto grace = 2s;

using record_list = std::vector<std::shared_ptr<source_record>>;

// All on the thread that calls run().
class process {
  public:
    process(const std::vector<conf::source>& sources, bool until_empty, const reload_sources& reload, log& out)
        : current_(sources), until_empty_(until_empty), reload_(reload), out_(out) {
        for (const auto& one : sources) add(one, std::make_shared<source_record>(one, out_, clock_));
    }

    int run() {
        records_.set(records());
        open_fronts(current_, records_for(current_));
        await_signal();
        await_tick();
        look_around();
        io_.run();
        return exit_code_;
    }

  private:
    void add(const conf::source& what, std::shared_ptr<source_record> record) {
        running_source::owner owner;
        owner.post = [this](std::function<void()> work) { boost::asio::post(io_, std::move(work)); };
        // Posted, as it may be the end of the one that says it.
        owner.ended = [this] { boost::asio::post(io_, [this] { look_around(); }); };
        if (until_empty_) owner.emptied = [this] { emptied(); };
        sources_.push_back(std::make_unique<running_source>(what.settings, owner, std::move(record), clock_));
    }

    std::vector<std::shared_ptr<const source_record>> records() const {
        std::vector<std::shared_ptr<const source_record>> all;
        for (const auto& one : sources_) all.push_back(one->record());
        return all;
    }

    // In their order; those of new sources are new.
    record_list records_for(const std::vector<conf::source>& sources) const {
        record_list all;
        for (const auto& what : sources) {
            const auto found = std::find_if(sources_.begin(), sources_.end(),
                                            [&](const auto& one) { return one->name() == what.name; });
            all.push_back(found != sources_.end() ? (*found)->record()
                                                  : std::make_shared<source_record>(what, out_, clock_));
        }
        return all;
    }

    // A source has ended, or is to begin.
    void look_around() {
        if (ending_) {
            if (std::all_of(sources_.begin(), sources_.end(), [](const auto& one) { return one->over(); })) leave();
            return;
        }
        std::erase_if(sources_, [](const auto& one) { return one->over(); });
        records_.set(records());
        // One that leaves may have the same table under another name, and be protected by no lease.
        if (std::any_of(sources_.begin(), sources_.end(), [](const auto& one) { return one->leaving(); })) return;
        for (const auto& one : sources_)
            if (!one->running()) one->start();
    }

    void leave() {
        if (emptied_)
            for (const auto& one : sources_) one->report_emptied();
        io_.stop();
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
            for (const auto& one : sources_) one->tick();
            tell_manager();
            await_tick();
        });
    }

    void tell_manager() {
        std::string status;
        for (const auto& why : records_.ready().reasons) status += (status.empty() ? "" : "; ") + why;
        const bool draining =
            std::any_of(sources_.begin(), sources_.end(), [](const auto& one) { return one->draining(); });
        manager_.look(!draining && records_.started().good, records_.live().good,
                      status.empty() ? "ready to relay" : status);
    }

    void end(int signal) {
        const char* name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
        if (std::exchange(told_to_stop_, true)) {
            out_.warning("cut_short", "told to stop a second time: giving up what is in flight", {{"signal", name}});
            exit_code_ = exit_code::failed;
            for (const auto& one : sources_) one->cut_short();
            give_up_in(grace);
            return;
        }
        if (ending_) return;  // by itself, as nothing is left
        out_.info("stopping", "told to stop: finishing what is in flight", {{"signal", name}});
        if (until_empty_) exit_code_ = exit_code::failed;
        finish();
    }

    void emptied() {
        const auto has_emptied = [](const auto& one) { return one->has_emptied(); };
        if (ending_ || !std::all_of(sources_.begin(), sources_.end(), has_emptied)) return;
        emptied_ = true;
        finish();
    }

    void finish() {
        ending_ = true;
        if (api_) api_->wind_up();
        std::chrono::milliseconds longest{0};
        for (const auto& one : sources_) longest = std::max(longest, one->settings().relay.drain_timeout);
        manager_.stopping(longest + 2 * grace);
        for (const auto& one : sources_) one->end();
        give_up_in(longest + grace);
    }

    void reload() {
        if (ending_) return;
        manager_.reloading();
        take_fresh_settings();
        tell_manager();
    }

    void take_fresh_settings() {
        std::vector<conf::source> fresh;
        try {
            fresh = reload_();
        } catch (const conf::invalid& error) {
            for (const auto& one : error.problems()) out_.error("reload_refused", one.what, {{"where", one.where}});
            return;
        }
        const auto records = records_for(fresh);
        for (const auto& one : records) one->asked.who.refresh();
        if (!listen(fresh, records)) return;
        out_.apply(fresh.front().settings.log);
        current_ = fresh;
        const auto changed = take(fresh, records);
        const std::string_view text =
            changed ? "configuration read again: starting over with it" : "configuration read again";
        if (changed && !changed->empty())
            out_.info("reloaded", text, {{"sources", *changed}});
        else
            out_.info("reloaded", text);
        look_around();
    }

    // The names of those that end, begin, or do both; nullopt: none does.
    std::optional<std::string> take(const std::vector<conf::source>& fresh, const record_list& records) {
        std::optional<std::string> changed;
        const auto note = [&](const std::string& name) {
            if (!changed) changed.emplace();
            *changed += (changed->empty() ? "" : " ") + name;
        };
        for (const auto& one : sources_) {
            const auto same = [&](const auto& other) { return other.name == one->name(); };
            const auto now = std::find_if(fresh.begin(), fresh.end(), same);
            if (now != fresh.end()) {
                if (one->take(now->settings)) note(one->name());
            } else if (!one->leaving()) {
                note(one->name());
                one->end();
            }
        }
        for (std::size_t i = 0; i < fresh.size(); ++i) {
            const auto same = [&](const auto& other) { return other->name() == fresh[i].name; };
            if (std::any_of(sources_.begin(), sources_.end(), same)) continue;
            note(fresh[i].name);
            add(fresh[i], records[i]);
        }
        return changed;
    }

    // The handlers of the API work with the settings, so it begins anew with each other ones.
    void open_fronts(const std::vector<conf::source>& sources, const record_list& records) {
        front_.emplace(sources.front().settings.http, records_, out_);
        open_api(sources, records);
    }

    void open_api(const std::vector<conf::source>& sources, const record_list& records) {
        const auto& settings = sources.front().settings;
        for (const auto& one : records) one->asked.samples.watch(!settings.http.api.empty());
        if (settings.http.api.empty()) return;
        const auto& record = records.front();  // the only one: see require_one() in commands.cpp
        api_.emplace(
            settings, record->asked, record->health, [record] { return record->instance(); }, out_);
    }

    // False: that can't be, and all stays as it was.
    bool listen(const std::vector<conf::source>& fresh, const record_list& records) {
        const auto& http = fresh.front().settings.http;
        auto as_before = current_;
        for (auto& one : as_before) one.settings.log = fresh.front().settings.log;
        // Its certificate may be another one, too.
        if (fresh == as_before && http.access.cert_file.empty()) return true;
        const bool front_too = http != current_.front().settings.http;
        // Or its own addresses would be in use.
        api_.reset();
        if (front_too) front_.reset();
        try {
            front_too ? open_fronts(fresh, records) : open_api(fresh, records);
            return true;
        } catch (const http_unavailable& error) {
            out_.error("reload_refused", error.what());
        } catch (const conf::invalid& error) {
            for (const auto& one : error.problems()) out_.error("reload_refused", one.what, {{"where", one.where}});
        }
        api_.reset();
        if (front_too) front_.reset();
        try {
            const auto before = records_for(current_);
            front_too ? open_fronts(current_, before) : open_api(current_, before);
        } catch (const http_unavailable& error) {
            out_.error("http_unavailable", error.what());
        } catch (const conf::invalid& error) {
            out_.error("http_unavailable", error.what());
        }
        return false;
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

    std::vector<conf::source> current_;  // as read last
    const bool until_empty_;
    const reload_sources& reload_;
    log& out_;
    const relay::steady_clock clock_;
    service_manager manager_{std::getenv("NOTIFY_SOCKET"), std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID")};
    source_records records_;

    boost::asio::io_context io_;
    boost::asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
    boost::asio::steady_timer tick_{io_};
    boost::asio::steady_timer give_up_{io_};

    std::list<std::unique_ptr<running_source>> sources_;
    std::optional<http_front> front_;
    std::optional<api::front> api_;
    bool emptied_ = false;  // all of them
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

int run_process(const std::vector<conf::source>& sources, bool until_empty, const reload_sources& reload, log& out) {
    last_words = &out;
    std::set_terminate(terminated);
    return process(sources, until_empty, reload, out).run();
}

}  // namespace sidecar
