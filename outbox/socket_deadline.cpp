#include "outbox/socket_deadline.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace outbox {
namespace {

int duplicate(int socket) {
    const int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw std::system_error(errno, std::generic_category(), "the connection's socket");
    return copy;
}

}  // namespace

socket_deadline::socket_deadline(int socket, std::chrono::milliseconds at_most)
    : socket_(duplicate(socket)),
      at_most_(at_most),
      thread_([this](const std::stop_token& stopping) { watch(stopping); }) {}

socket_deadline::~socket_deadline() {
    thread_.request_stop();
    thread_.join();
    ::close(socket_);
}

void socket_deadline::start() {
    const std::lock_guard lock(mutex_);
    until_ = std::chrono::steady_clock::now() + at_most_;
    // Otherwise it waits for an earlier time already, and looks again then: no need to wake it for each statement.
    if (idle_) changed_.notify_one();
}

void socket_deadline::stop() {
    const std::lock_guard lock(mutex_);
    until_.reset();
}

bool socket_deadline::has_cut() const {
    const std::lock_guard lock(mutex_);
    return cut_;
}

void socket_deadline::watch(const std::stop_token& stopping) {
    std::unique_lock lock(mutex_);
    while (!stopping.stop_requested()) {
        if (!until_) {
            idle_ = true;
            changed_.wait(lock, stopping, [this] { return until_.has_value(); });
            idle_ = false;
        } else if (const auto until = *until_; std::chrono::steady_clock::now() < until) {
            changed_.wait_until(lock, stopping, until, [] { return false; });
        } else {
            ::shutdown(socket_, SHUT_RDWR);
            cut_ = true;
            until_.reset();
        }
    }
}

}  // namespace outbox
