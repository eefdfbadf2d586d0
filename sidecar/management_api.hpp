#pragma once
// sidecar/management_api.hpp - RabbitMQ's management plugin, asked which queues there are.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/settings.hpp"
#include "relay/queue_lister.hpp"
#include "sidecar/http_client.hpp"

namespace sidecar {

/// A regular expression of the plugin for names that one of the patterns means, and perhaps for more. Pure.
std::string name_expression(const std::vector<std::string>& patterns);

/// The text as one segment of a path, or a value of a query. Pure.
std::string percent_encoded(std::string_view text);

/// One thread, but for stop().
class management_api final : public relay::queue_directory {
  public:
    /// Of the virtual host of the first of `brokers`, queues that the patterns mean.
    /// Throws std::invalid_argument for certificates or an url that can't be used.
    management_api(const conf::management& settings, const std::vector<std::string>& brokers,
                   const std::vector<conf::dead_letters>& queues);

    /// Page by page, names alone, chosen by the plugin: a broker with many queues is not made to say all of them.
    /// Throws std::runtime_error, also after 10,000 names.
    std::vector<std::string> names() override;

    /// Cuts off what is under way. Any thread.
    void stop() { client_.stop(); }

  private:
    const std::string queues_url_;  // but for the page
    std::vector<std::pair<std::string, std::string>> headers_;
    http_client client_;
};

}  // namespace sidecar
