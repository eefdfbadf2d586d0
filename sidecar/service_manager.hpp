#pragma once
// sidecar/service_manager.hpp - what systemd is told about the process: the protocol of sd_notify(3).

#include <chrono>
#include <string>
#include <string_view>

namespace sidecar {

/// Datagrams to the socket that the service manager has named. One thread. Never blocks, and a manager that can't be
/// told is no trouble to the process.
class service_manager {
  public:
    /// The variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; null: not set. Without the first, nobody is told
    /// anything; without the second, or with another process's number in the third, no watchdog waits for us.
    service_manager(const char* socket, const char* watchdog_usec, const char* watchdog_pid);
    ~service_manager();
    service_manager(const service_manager&) = delete;
    service_manager& operator=(const service_manager&) = delete;

    /// To be called about once a second: says that the process is ready when it is, after the start and after each
    /// reloading(); feeds the watchdog as long as it is alive; and passes a `status` on that is another than before.
    void look(bool ready, bool alive, const std::string& status);

    void reloading();

    /// The end has begun, and takes `at_most` so long, whatever the manager's own limit is.
    void stopping(std::chrono::milliseconds at_most);

  private:
    /// False: nobody heard it.
    bool tell(std::string_view assignments) const;

    const std::string socket_;  // empty: nobody to tell
    const bool watched_;
    int fd_ = -1;
    bool ready_ = false;   // and told so
    bool ending_ = false;  // from then on, ready is no news
    std::string status_;
};

}  // namespace sidecar
