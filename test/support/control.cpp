#include "test/support/control.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "conf/url.hpp"
#include "test/support/database.hpp"
#include "test/support/environment.hpp"

namespace support {
namespace {

std::string servers_dir() { return variable("OUTBOX_TEST_SERVERS_DIR"); }

std::string private_servers(const std::string& arguments) {
    return run(fmt::format("'{}' {}", OUTBOX_PRIVATE_SERVERS, arguments));
}

const char* name_of(server which) {
    switch (which) {
        case server::mariadb: return "mariadb";
        case server::postgresql: return "postgresql";
        case server::rabbitmq: break;
    }
    return "rabbitmq";
}

// In a destructor; the tests that follow will say the rest.
template <class Work>
void try_to(Work&& work) {
    try {
        work();
    } catch (const std::exception& error) {
        std::cerr << "cleaning up: " << error.what() << '\n';
    }
}

}  // namespace

std::string run(const std::string& command) {
    FILE* pipe = popen(("( " + command + " ) 2>&1").c_str(), "re");
    if (pipe == nullptr) throw std::runtime_error("popen failed");
    std::string output;
    std::array<char, 4096> buffer{};
    while (const auto count = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), count);
    const int status = pclose(pipe);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error(fmt::format("failed ({}): {}\n{}", status, command, output));
    return output;
}

std::string ctl(const std::string& arguments) { return run(variable("OUTBOX_TEST_CTL") + " -q " + arguments); }

management_plugin::management_plugin() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in free{};
    free.sin_family = AF_INET;
    free.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof free;
    const bool found = bind(socket, reinterpret_cast<sockaddr*>(&free), size) == 0 &&
                       getsockname(socket, reinterpret_cast<sockaddr*>(&free), &size) == 0;
    close(socket);
    if (!found) throw std::runtime_error("no free port");
    const auto port = ntohs(free.sin_port);
    ctl(
        fmt::format("eval 'application:set_env(rabbitmq_management, tcp_config, [{{port, {}}}, {{ip, \"127.0.0.1\"}}], "
                    "[{{persistent, true}}]).'",
                    port));
    private_servers(fmt::format("plugins '{}' enable rabbitmq_management", servers_dir()));
    url_ = fmt::format("http://guest:guest@127.0.0.1:{}", port);
}

management_plugin::~management_plugin() {
    try_to([this] { disable(); });
}

void management_plugin::disable() {
    private_servers(fmt::format("plugins '{}' disable rabbitmq_management", servers_dir()));
}

outage::outage(server which, manner how) : which_(which) {
    private_servers(fmt::format("{} {} '{}'", how == manner::stop ? "stop" : "kill", name_of(which), servers_dir()));
}

outage::~outage() {
    try_to([this] { end(); });
}

void outage::end() {
    if (!over_) private_servers(fmt::format("start {} '{}'", name_of(which_), servers_dir()));
    over_ = true;
}

paused_broker::paused_broker() {
    std::ifstream(servers_dir() + "/rabbitmq/pid") >> pid_;
    if (pid_ <= 1 || kill(pid_, SIGSTOP) != 0) throw std::runtime_error("the broker can't be paused");
}

paused_broker::~paused_broker() { end(); }

void paused_broker::end() { kill(pid_, SIGCONT); }

namespace {

// Read at the opening of a channel; from the one place up to RabbitMQ 3, from the other later. Returns what it was.
std::size_t set_max_message_size(std::size_t bytes) {
    return std::stoul(
        ctl(fmt::format("eval '{{ok, Before}} = application:get_env(rabbit, max_message_size), "
                        "application:set_env(rabbit, max_message_size, {0}), "
                        "persistent_term:put(max_message_size, {0}), Before.'",
                        bytes)));
}

}  // namespace

message_size_limit::message_size_limit(std::size_t bytes) : before_(set_max_message_size(bytes)) {}

message_size_limit::~message_size_limit() {
    try_to([this] { set_max_message_size(before_); });
}

broker_account::broker_account(const std::string& password, const std::string& may_write)
    : name_(unique_name("account")) {
    ctl(fmt::format("add_user {} {}", name_, password));
    ctl(fmt::format("set_permissions -p / {} '.*' '{}' '.*'", name_, may_write));
}

broker_account::~broker_account() {
    try_to([this] { ctl("delete_user " + name_); });
}

void broker_account::change_password(const std::string& password) {
    ctl(fmt::format("change_password {} {}", name_, password));
}

std::string broker_account::url(std::string_view password) const {
    const auto url = conf::parse_url(amqp_url());
    return fmt::format("amqp://{}:{}@{}:{}/", name_, password, url.host, url.port);
}

plain_mariadb::plain_mariadb() : folder_(servers_dir() + "/plain") {
    std::string kind = "--arg --skip-ssl";
    if (std::string mysql; std::getline(std::ifstream(servers_dir() + "/mariadb/programs"), mysql))
        kind = fmt::format("--programs '{}' --arg --tls-version=", mysql);
    private_servers(fmt::format("start mariadb '{}' {}", folder_, kind));
    const auto port = run(
        fmt::format("eval \"$('{}' env '{}')\" && printf %s $OUTBOX_TEST_MYSQL_PORT", OUTBOX_PRIVATE_SERVERS, folder_));
    url_ = fmt::format("mysql://outbox:outbox@127.0.0.1:{}/shop", port);
}

plain_mariadb::~plain_mariadb() {
    try_to([this] { private_servers(fmt::format("kill mariadb '{}' && rm -r '{}'", folder_, folder_)); });
}

}  // namespace support
