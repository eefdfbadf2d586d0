#pragma once
// relay/listener.hpp - passes on that messages were inserted.

#include <chrono>
#include <functional>
#include <string>

#include "outbox/news.hpp"
#include "relay/backoff.hpp"
#include "relay/observer.hpp"
#include "relay/random_source.hpp"

namespace relay {

/// One thread.
class listener {
  public:
    listener(outbox::news& from, random_source draw, observer& watch, std::function<void()> on_news);

    /// Waits for news, and calls `on_news` if there are any. Returns how long to leave the database alone.
    std::chrono::milliseconds run_once();

  private:
    outbox::news& from_;
    const random_source draw_;
    observer& watch_;
    const std::function<void()> on_news_;
    backoff backoff_;
    bool connected_ = false;
    std::string what_failed_;  // reported already
};

}  // namespace relay
