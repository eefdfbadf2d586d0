#include "sidecar/service_manager.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace sidecar {
namespace {

std::string text_of(const char* variable) { return variable == nullptr ? "" : variable; }

// "/a/path", or "@name" in the abstract namespace: those that AF_UNIX has, and that fit.
std::string usable(std::string socket) {
    const bool is_one = !socket.empty() && (socket[0] == '/' || socket[0] == '@');
    return is_one && socket.size() < sizeof(sockaddr_un::sun_path) ? socket : "";
}

bool is_watched(const char* usec, const char* pid) {
    const auto whose = text_of(pid);
    return !text_of(usec).empty() && (whose.empty() || whose == std::to_string(getpid()));
}

// A line is an assignment.
std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

}  // namespace

service_manager::service_manager(const char* socket, const char* watchdog_usec, const char* watchdog_pid)
    : socket_(usable(text_of(socket))), watched_(is_watched(watchdog_usec, watchdog_pid)) {
    if (!socket_.empty()) fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

service_manager::~service_manager() {
    if (fd_ >= 0) close(fd_);
}

void service_manager::look(bool ready, bool alive, const std::string& status) {
    if (ending_) ready = false;
    if (ready && !ready_) ready_ = tell("READY=1");
    if (watched_ && alive) tell("WATCHDOG=1");
    if (status != status_ && tell("STATUS=" + one_line(status))) status_ = status;
}

// The time tells the manager which of several reloads a READY=1 answers.
void service_manager::reloading() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto usec = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    ready_ = false;
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", usec));
}

void service_manager::stopping(std::chrono::milliseconds at_most) {
    ending_ = true;
    tell(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", std::chrono::microseconds(at_most).count()));
}

bool service_manager::tell(std::string_view assignments) const {
    if (fd_ < 0) return false;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::copy(socket_.begin(), socket_.end(), to.sun_path);
    if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
    // Of an abstract name every byte counts, so that none may follow it.
    const auto length = offsetof(sockaddr_un, sun_path) + socket_.size() + (socket_[0] == '/' ? 1 : 0);
    return sendto(fd_, assignments.data(), assignments.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
                  static_cast<socklen_t>(length)) >= 0;
}

}  // namespace sidecar
