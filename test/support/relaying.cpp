#include "test/support/relaying.hpp"

#include <fmt/format.h>

#include "test/support/environment.hpp"

namespace support {

using namespace std::chrono_literals;

conf::settings quick_settings(const conf::database& on) {
    conf::settings settings;
    settings.database = on;
    settings.database.connect_timeout = 5s;
    settings.broker.urls = {amqp_url()};
    settings.broker.connect_timeout = 2s;
    settings.broker.reconnect_initial = 50ms;
    settings.broker.reconnect_max = 100ms;
    settings.relay.poll_max = 20ms;
    settings.retry.strategy = conf::retry_strategy::fixed;
    settings.retry.initial = 50ms;
    settings.relay.lease = 10min;  // or renewals would be counted among what the relay writes
    settings.purge.schedule.clear();
    return settings;
}

conf::retry one_try_only() {
    conf::retry retry;
    retry.strategy = conf::retry_strategy::fixed;
    retry.initial = 1h;
    return retry;
}

relaying::relaying(const conf::settings& settings)
    : service_(std::make_unique<sidecar::service>(settings, recorder_)) {}

relaying::~relaying() = default;

sidecar::farewell relaying::stop() { return service_->stop(); }

bool scene::reaches(int status, std::size_t wanted) {
    const auto condition = fmt::format("status = {}", status);
    return eventually([&] { return rows(condition) == wanted; });
}

bool read_by_now(database& root) {
    // A sweep takes up to three statements.
    const auto enough = reading_statements(root) + 10;
    return eventually([&] { return reading_statements(root) >= enough; });
}

burst::burst(const table& into, std::string exchange)
    : thread_([this, &into, exchange = std::move(exchange)] {
          try {
              database server;
              while (!stopping_) {
                  const bool enough =
                      eventually([&] { return stopping_ || count(server, into, "status = 0") < 500; }, 120s);
                  if (!enough) throw std::runtime_error("the relay stands still");
                  std::string sql = into.in("INSERT INTO {} (id, msg, exchange, routing_key) VALUES ");
                  for (int i = 0; i < 50; ++i)
                      sql += fmt::format("{}('b{}', 'body', '{}', 'key')", i == 0 ? "" : ",", ++inserted_, exchange);
                  server.execute(sql);
              }
          } catch (...) {
              failure_ = std::current_exception();
          }
      }) {}

burst::~burst() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

std::size_t burst::stop() {
    stopping_ = true;
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
    return inserted_;
}

}  // namespace support
