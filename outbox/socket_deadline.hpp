#pragma once
// outbox/socket_deadline.hpp - an end to waiting for a server that has fallen silent, for client libraries that would
// wait for ever.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace outbox {

/// Cuts a connection when an answer takes too long: who waits for it is told that it was lost. Keepalives find out
/// about a machine that is gone, but not about a server that is stopped, or that something in between holds back.
///
/// Has a thread of its own, idle while nobody waits. start() and stop() from one thread.
class socket_deadline {
  public:
    /// Keeps a duplicate of the socket, so that it can't cut another's that has the same number by then.
    socket_deadline(int socket, std::chrono::milliseconds at_most);
    ~socket_deadline();
    socket_deadline(const socket_deadline&) = delete;
    socket_deadline& operator=(const socket_deadline&) = delete;

    void start();
    void stop();
    /// Whether it came to that.
    bool has_cut() const;

  private:
    void watch(const std::stop_token& stopping);

    const int socket_;
    const std::chrono::milliseconds at_most_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<std::chrono::steady_clock::time_point> until_;  // guarded by mutex_, as is what follows
    bool idle_ = true;
    bool cut_ = false;
    std::jthread thread_;
};

}  // namespace outbox
