#pragma once
// test/support/control.hpp - taking servers away from under the sidecar, and giving them back: also when the test ends
// before its end.

#include <sys/types.h>

#include <string>
#include <string_view>

namespace support {

/// Runs a command of the shell and returns what it printed. Throws std::runtime_error with that when it failed.
std::string run(const std::string& command);

/// rabbitmqctl on the broker of the tests; takes about a second.
std::string ctl(const std::string& arguments);

enum class server { mariadb, postgresql, rabbitmq };
enum class manner { stop, kill };  // in good order; by SIGKILL

/// The server is down from construction to end(), after which it serves again.
class outage {
  public:
    outage(server which, manner how);
    ~outage();
    outage(const outage&) = delete;
    outage& operator=(const outage&) = delete;

    void end();

  private:
    const server which_;
    bool over_ = false;
};

/// The broker does nothing at all from construction to end(), and its connections stay: SIGSTOP.
class paused_broker {
  public:
    paused_broker();
    ~paused_broker();
    paused_broker(const paused_broker&) = delete;
    paused_broker& operator=(const paused_broker&) = delete;

    void end();

  private:
    pid_t pid_;
};

/// The broker's management plugin, at work from construction to destruction.
class management_plugin {
  public:
    management_plugin();
    ~management_plugin();
    management_plugin(const management_plugin&) = delete;
    management_plugin& operator=(const management_plugin&) = delete;

    /// http://guest:guest@127.0.0.1:port
    const std::string& url() const { return url_; }
    void disable();

  private:
    std::string url_;
};

/// The broker takes no message larger than this, on channels opened from construction to destruction.
class message_size_limit {
  public:
    explicit message_size_limit(std::size_t bytes);
    ~message_size_limit();
    message_size_limit(const message_size_limit&) = delete;
    message_size_limit& operator=(const message_size_limit&) = delete;

  private:
    std::size_t before_;
};

/// An account of the broker, there until destruction, with rights on the default virtual host.
class broker_account {
  public:
    /// `may_write` is a regular expression of the names of exchanges.
    explicit broker_account(const std::string& password, const std::string& may_write = ".*");
    ~broker_account();
    broker_account(const broker_account&) = delete;
    broker_account& operator=(const broker_account&) = delete;

    void change_password(const std::string& password);
    /// The url of the tests' broker for this account.
    std::string url(std::string_view password) const;

  private:
    std::string name_;
};

/// A MariaDB of its own that offers no TLS; a MySQL if that is what the tests have.
class plain_mariadb {
  public:
    plain_mariadb();
    ~plain_mariadb();
    plain_mariadb(const plain_mariadb&) = delete;
    plain_mariadb& operator=(const plain_mariadb&) = delete;

    const std::string& url() const { return url_; }

  private:
    std::string folder_;
    std::string url_;
};

}  // namespace support
