#pragma once
// outbox/news.hpp - hearing of new messages at once, where a database tells. Polling finds them anyway.

#include <chrono>
#include <memory>

#include "conf/settings.hpp"

namespace outbox {

/// A connection of its own. await() from one thread; wake() from any.
class news {
  public:
    virtual ~news() = default;

    /// Waits until messages may have been inserted, for `at_most`, or until woken. True: look at the table now.
    /// Connects if need be, and has news then, as something may have been missed. Throws store_unavailable and
    /// store_unusable.
    virtual bool await(std::chrono::milliseconds at_most) = 0;

    /// Ends the await() under way, or the next.
    virtual void wake() = 0;
};

/// Does not connect. Throws std::invalid_argument for an url of a database that doesn't tell.
std::unique_ptr<news> make_news(const conf::database& database);

}  // namespace outbox
