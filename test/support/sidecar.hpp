#pragma once
// test/support/sidecar.hpp - the program itself, as an operator starts it.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "test/support/database.hpp"

namespace support {

using variables = std::map<std::string, std::string>;

/// OUTBOX_… variables for this table and the servers of the tests.
variables settings_for(const table& on);

/// A folder of its own, removed at the end.
class folder {
  public:
    folder();
    ~folder();
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    std::string file(const std::string& name) const { return path_ + "/" + name; }
    /// Writes it anew; returns its path.
    std::string write(const std::string& name, const std::string& content) const;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// The process, from construction on; killed at the end if it still runs. Its environment is `env` alone, its working
/// folder an empty one unless given.
class sidecar_process {
  public:
    sidecar_process(const std::vector<std::string>& arguments, const variables& env, const std::string& in = {});
    ~sidecar_process();
    sidecar_process(const sidecar_process&) = delete;
    sidecar_process& operator=(const sidecar_process&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;

    /// Waits until the text has been written to standard error. False when it ended, or took too long, without.
    bool says(const std::string& text);
    /// Waits for the end. The exit code; -1 when it ended by a signal; throws when it took too long.
    int wait();

    std::string out() const;
    std::string err() const;

  private:
    bool ended();

    folder empty_;
    pid_t pid_ = -1;
    int out_ = -1;
    int err_ = -1;
    int status_ = 0;
    bool over_ = false;
};

struct result {
    int code = 0;
    std::string out;
    std::string err;
};

/// Runs it to its end.
result run_sidecar(const std::vector<std::string>& arguments, const variables& env, const std::string& in = {});

}  // namespace support
