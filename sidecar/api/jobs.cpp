#include "sidecar/api/jobs.hpp"

#include <algorithm>
#include <utility>

#include "sidecar/message_view.hpp"

namespace sidecar::api {
namespace {

using state = job::state;

std::string_view name_of(state one) {
    switch (one) {
        case state::queued: return "queued";
        case state::running: return "running";
        case state::done: return "done";
        case state::failed: return "failed";
        case state::stopped: return "stopped";
    }
    return {};
}

outbox::epoch_ms now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

bool is_over(state one) { return one != state::queued && one != state::running; }

}  // namespace

json job_json(const job& one) {
    return {{"id", one.id},
            {"action", one.action},
            {"state", name_of(one.is)},
            {"total", json_or_null(one.total)},
            {"changed", one.changed},
            {"left", one.left},
            {"error", one.error.empty() ? json() : json(one.error)},
            {"by", one.by},
            {"started", json_or_null(one.started)},
            {"ended", json_or_null(one.ended)}};
}

bool jobs::control::go_on(std::chrono::milliseconds wait) {
    std::unique_lock lock(all_.mutex_);
    const auto over = [&] { return all_.ending_ || all_.at_work_->to_stop; };
    refused_ = refused_ || all_.changed_.wait_for(lock, wait, over);
    return !refused_;
}

void jobs::control::total(std::uint64_t rows) {
    const std::lock_guard lock(all_.mutex_);
    one_.total = rows;
}

void jobs::control::progress(std::uint64_t changed, std::uint64_t left) {
    const std::lock_guard lock(all_.mutex_);
    one_.changed = changed;
    one_.left = left;
}

void jobs::control::trouble(std::string why) {
    const std::lock_guard lock(all_.mutex_);
    one_.error = std::move(why);
}

jobs::jobs(std::function<std::unique_ptr<outbox::store>()> make) : store_(make()), thread_([this] { run(); }) {}

jobs::~jobs() {
    stop();
    thread_.join();
}

std::optional<job> jobs::add(std::string action, std::string by, work what) {
    const std::lock_guard lock(mutex_);
    const auto waiting =
        std::count_if(entries_.begin(), entries_.end(), [](const entry& one) { return one.what.is == state::queued; });
    if (ending_ || static_cast<std::size_t>(waiting) >= most_waiting) return std::nullopt;
    if (entries_.size() >= most_kept)
        entries_.erase(
            std::find_if(entries_.begin(), entries_.end(), [](const entry& one) { return is_over(one.what.is); }));
    auto& one = entries_.emplace_back();
    one.what.id = std::to_string(++last_id_);
    one.what.action = std::move(action);
    one.what.by = std::move(by);
    one.does = std::move(what);
    changed_.notify_all();
    return one.what;
}

std::vector<job> jobs::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<job> result;
    for (auto one = entries_.rbegin(); one != entries_.rend(); ++one) result.push_back(one->what);
    return result;
}

std::optional<job> jobs::find(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    for (const auto& one : entries_) {
        if (one.what.id == id) return one.what;
    }
    return std::nullopt;
}

bool jobs::stop(std::string_view id) {
    const std::lock_guard lock(mutex_);
    for (auto& one : entries_) {
        if (one.what.id != id) continue;
        one.to_stop = true;
        if (one.what.is == state::queued) {
            one.what.is = state::stopped;
            one.what.ended = now();
        }
        changed_.notify_all();
        return true;
    }
    return false;
}

void jobs::stop() {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (auto& one : entries_) {
        if (one.what.is == state::queued) one.what.is = state::stopped;
    }
    changed_.notify_all();
}

void jobs::run() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            const auto next = [&] {
                return std::find_if(entries_.begin(), entries_.end(),
                                    [](const entry& one) { return one.what.is == state::queued; });
            };
            changed_.wait(lock, [&] { return ending_ || next() != entries_.end(); });
            if (ending_) return;
            at_work_ = &*next();
            at_work_->what.is = state::running;
            at_work_->what.started = now();
        }
        run_one(*store_, *at_work_);
    }
}

void jobs::run_one(outbox::store& store, entry& one) {
    control told(*this, one.what);
    std::string error;
    try {
        one.does(store, told);
    } catch (const std::exception& what) {
        error = what.what();
    }
    work done;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    done.swap(one.does);
    one.what.is = !error.empty() ? state::failed : told.refused_ ? state::stopped : state::done;
    if (!error.empty()) one.what.error = error;
    one.what.ended = now();
    at_work_ = nullptr;
}

}  // namespace sidecar::api
