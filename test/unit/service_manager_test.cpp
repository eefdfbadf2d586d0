#include "sidecar/service_manager.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>

using namespace std::chrono_literals;

namespace {

/// A service manager's end of the protocol; `name` as in NOTIFY_SOCKET.
class listening_manager {
  public:
    explicit listening_manager(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        name.copy(at.sun_path, sizeof at.sun_path - 1);
        if (name[0] == '@') at.sun_path[0] = '\0';
        const auto length = offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1);
        REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(length)) == 0);
    }
    ~listening_manager() { close(fd_); }

    /// Nothing when nothing more was said.
    std::string hears() const {
        std::array<char, 1000> text{};
        const auto size = recv(fd_, text.data(), text.size(), 0);
        return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
    }

  private:
    int fd_;
};

std::string abstract_name() { return "@outbox-unit-test-" + std::to_string(getpid()); }

}  // namespace

TEST_SUITE("service manager") {
    TEST_CASE("it hears once that the process is ready, at a path as well as at an abstract name") {
        std::string folder = "/tmp/outbox-notify.XXXXXX";
        REQUIRE(mkdtemp(folder.data()) != nullptr);
        for (const auto& name : {abstract_name(), folder + "/socket"}) {
            CAPTURE(name);
            const listening_manager systemd(name);
            sidecar::service_manager manager(name.c_str(), nullptr, nullptr);
            manager.look(false, true, "");
            CHECK(systemd.hears().empty());
            manager.look(true, true, "");
            CHECK(systemd.hears() == "READY=1");
            manager.look(true, true, "");
            CHECK(systemd.hears().empty());
        }
        std::filesystem::remove_all(folder);
    }

    TEST_CASE("the watchdog is fed only while the loops turn, and only if it is ours") {
        const listening_manager systemd(abstract_name());
        const auto pid = std::to_string(getpid());
        sidecar::service_manager manager(abstract_name().c_str(), "30000000", pid.c_str());
        manager.look(false, true, "");
        CHECK(systemd.hears() == "WATCHDOG=1");
        manager.look(false, false, "");
        CHECK(systemd.hears().empty());
        sidecar::service_manager child(abstract_name().c_str(), "30000000", "1");
        child.look(false, true, "");
        CHECK(systemd.hears().empty());
    }

    TEST_CASE("a reload ends with being ready again, and a stop does not") {
        const listening_manager systemd(abstract_name());
        sidecar::service_manager manager(abstract_name().c_str(), nullptr, nullptr);
        manager.look(true, true, "");
        CHECK(systemd.hears() == "READY=1");
        manager.reloading();
        CHECK(systemd.hears().rfind("RELOADING=1\nMONOTONIC_USEC=", 0) == 0);
        manager.look(false, true, "");
        CHECK(systemd.hears().empty());
        manager.look(true, true, "");
        CHECK(systemd.hears() == "READY=1");
        manager.reloading();
        systemd.hears();
        manager.stopping(22s);
        CHECK(systemd.hears() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=22000000");
        manager.look(true, true, "");
        CHECK(systemd.hears().empty());
    }

    TEST_CASE("a status is told when it changes, and can't pass for another line") {
        const listening_manager systemd(abstract_name());
        sidecar::service_manager manager(abstract_name().c_str(), nullptr, nullptr);
        manager.look(false, true, "broker: refused\nREADY=1");
        CHECK(systemd.hears() == "STATUS=broker: refused READY=1");
        manager.look(false, true, "broker: refused\nREADY=1");
        CHECK(systemd.hears().empty());
    }

    TEST_CASE("what was not heard is said again, and a manager that is not there, or can't be, is no trouble") {
        sidecar::service_manager manager(abstract_name().c_str(), nullptr, nullptr);
        manager.look(true, true, "");
        const listening_manager late(abstract_name());
        manager.look(true, true, "");
        CHECK(late.hears() == "READY=1");
        const std::string too_long = "/" + std::string(200, 'x');
        for (const char* none : {static_cast<const char*>(nullptr), "", "vsock:2:1234", too_long.c_str()}) {
            sidecar::service_manager nobody(none, "1", nullptr);
            nobody.look(true, true, "on");
            nobody.reloading();
            nobody.stopping(1s);
        }
        CHECK(late.hears().empty());
    }
}
