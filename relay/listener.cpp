#include "relay/listener.hpp"

#include <utility>

#include "outbox/store.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;

constexpr auto one_wait = 60s;

}  // namespace

listener::listener(outbox::news& from, random_source draw, observer& watch, std::function<void()> on_news)
    : from_(from), draw_(std::move(draw)), watch_(watch), on_news_(std::move(on_news)), backoff_(100ms, 5s) {}

std::chrono::milliseconds listener::run_once() {
    try {
        const bool any = from_.await(one_wait);
        if (!std::exchange(connected_, true)) {
            watch_.database_up("listener");
            backoff_.reset();
            what_failed_.clear();
        }
        if (any) on_news_();
        return 0ms;
    } catch (const std::exception& error) {
        if (std::exchange(connected_, false) || what_failed_ != error.what())
            watch_.database_down("listener", error.what());
        what_failed_ = error.what();
        return backoff_.next(draw_());
    }
}

}  // namespace relay
