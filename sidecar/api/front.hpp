#pragma once
// sidecar/api/front.hpp - the API and the console, served: the server's thread and those that ask the database.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sidecar/api/gate.hpp"
#include "sidecar/api/jobs.hpp"
#include "sidecar/api/routes.hpp"
#include "sidecar/api/server.hpp"
#include "sidecar/api/worker_pool.hpp"

namespace sidecar::api {

/// What of the API lives as long as the process, whatever is read again. Any thread.
struct lasting {
    lasting(const relay::clock& clock_in, log& out, std::function<void(bool)> paused)
        : clock(clock_in), who(clock_in, out), samples(clock_in), pause(std::move(paused)) {}

    const relay::clock& clock;
    const relay::time_point began = clock.now();
    access who;
    sampler samples;
    pause_switch pause;
};

/// Serves from construction to destruction, which waits for what the database has been asked: ten seconds, at most.
class front {
  public:
    /// http.api is not empty. Throws http_unavailable, whose words name the setting, and conf::invalid; then nothing
    /// is served.
    front(const conf::settings& settings, lasting& with, const vitals& health, std::function<std::string()> instance,
          log& out);
    ~front();
    front(const front&) = delete;
    front& operator=(const front&) = delete;

    /// Asks the database nothing more.
    void wind_up() {
        pool_.stop();
        work_.stop();
    }

  private:
    const conf::settings settings_;
    jobs work_;
    const router routes_;
    worker_pool pool_;
    const gate gate_;
    std::unique_ptr<server> server_;
    std::thread thread_;
};

/// What is wrong with how the API is to be reached; empty: nothing. Reads no file.
std::vector<std::pair<std::string, std::string>> faults_of(const conf::http& settings);

}  // namespace sidecar::api
