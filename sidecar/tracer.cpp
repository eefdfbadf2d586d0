#include "sidecar/tracer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "conf/url.hpp"
#include "relay/overloaded.hpp"
#include "sidecar/trace_context.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::size_t spans_per_post = 512;
constexpr milliseconds first_pause = 1s;
constexpr milliseconds longest_pause = 30s;

std::uint64_t unix_nanoseconds() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

struct judgement {
    const char* error;
    std::string reason;
};

judgement judged(const relay::outcome& result) {
    return std::visit(relay::overloaded{
                          [](const relay::confirmed&) {
                              return judgement{"", ""};
                          },
                          [](const relay::returned& one) {
                              return judgement{"returned", std::to_string(one.code) + ' ' + one.text};
                          },
                          [](const relay::refused&) {
                              return judgement{"refused", ""};
                          },
                          [](const relay::no_exchange& one) {
                              return judgement{"no_exchange", std::to_string(one.code) + ' ' + one.text};
                          },
                          [](const relay::impossible& one) {
                              return judgement{"impossible", one.reason};
                          },
                          [](const relay::unknown&) {
                              return judgement{"unknown", ""};
                          },
                          [](const relay::parked& one) {
                              return judgement{"parked", one.reason};
                          },
                      },
                      result);
}

}  // namespace

tracer::tracer(std::function<void(std::size_t)> dropped) : dropped_(std::move(dropped)) {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    random_.seed(seed);
}

void tracer::apply(const conf::tracing& settings) {
    const std::lock_guard lock(mutex_);
    on_ = !settings.endpoint.empty();
    ratio_ = settings.ratio;
    room_ = settings.queue_spans;
    if (!on_) spans_.clear();
}

void tracer::broker_up(std::string_view where) {
    auto address = std::make_shared<broker_address>();
    try {
        const auto url = conf::parse_url(where);
        *address = {url.host, url.port};
    } catch (const std::exception&) {
        address.reset();
    }
    const std::lock_guard lock(mutex_);
    broker_ = std::move(address);
}

// What was never sent has no span: nothing was published.
std::optional<publish_span> tracer::span_of(const relay::attempt& one, relay::time_point now, std::uint64_t unix_now) {
    if (!one.sent_at) return std::nullopt;
    publish_span made;
    if (auto context = parse_traceparent(one.row.traceparent)) {
        if (!context->sampled) return std::nullopt;
        made.trace_id = std::move(context->trace_id);
        made.parent_id = std::move(context->parent_id);
    } else {
        if (std::uniform_real_distribution<double>(0.0, 1.0)(random_) >= ratio_) return std::nullopt;
        made.trace_id = hex_of(random_() | 1) + hex_of(random_());
    }
    made.span_id = hex_of(random_() | 1);
    const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(now - *one.sent_at);
    made.end = unix_now;
    made.start = unix_now - static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
    made.message_id = one.row.id;
    made.exchange = one.row.exchange;
    made.routing_key = one.row.routing_key;
    made.body_size = one.row.body_size;
    auto [error, reason] = judged(one.result);
    made.error = error;
    made.reason = std::move(reason);
    made.broker = broker_;
    return made;
}

void tracer::attempted_all(std::span<const relay::attempt> batch) {
    std::size_t too_many = 0;
    bool half_full = false;
    {
        const std::lock_guard lock(mutex_);
        if (!on_) return;
        const auto now = std::chrono::steady_clock::now();
        const auto unix_now = unix_nanoseconds();
        for (const auto& one : batch) {
            if (spans_.size() >= room_) {
                too_many += one.sent_at ? 1 : 0;
                continue;
            }
            if (auto made = span_of(one, now, unix_now)) spans_.push_back(std::move(*made));
        }
        half_full = spans_.size() >= std::max<std::size_t>(1, room_ / 2);
    }
    if (too_many > 0) dropped_(too_many);
    if (half_full) wake();
}

std::vector<publish_span> tracer::take(std::size_t limit) {
    const std::lock_guard lock(mutex_);
    const auto end = spans_.begin() + static_cast<std::ptrdiff_t>(std::min(limit, spans_.size()));
    std::vector<publish_span> taken(std::make_move_iterator(spans_.begin()), std::make_move_iterator(end));
    spans_.erase(spans_.begin(), end);
    return taken;
}

span_exporter::span_exporter(tracer& from, const conf::tracing& settings, span_resource who,
                             std::function<answer(const std::string& body)> post, watcher watch)
    : from_(from), settings_(settings), who_(std::move(who)), post_(std::move(post)), watch_(std::move(watch)) {}

milliseconds span_exporter::run_once() {
    for (;;) {
        if (batch_.empty()) batch_ = from_.take(spans_per_post);
        if (batch_.empty()) return settings_.interval;
        if (!deliver()) return pause_;
        batch_.clear();
    }
}

// False: to be tried again.
bool span_exporter::deliver() {
    const auto got = post_(otlp_json(who_, batch_));
    const bool again = got.status == 0 || got.status == 429 || (got.status >= 502 && got.status <= 504);
    if (again) {
        fail(got);
        return false;
    }
    pause_ = 0ms;
    if (std::exchange(down_, false)) watch_.up();
    if (got.status >= 200 && got.status < 300)
        watch_.delivered(batch_.size());
    else
        watch_.refused(batch_.size(), "HTTP " + std::to_string(got.status));
    return true;
}

void span_exporter::fail(const answer& got) {
    pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
    if (got.retry_after) pause_ = std::clamp<milliseconds>(*got.retry_after, first_pause, 10 * longest_pause);
    if (!std::exchange(down_, true)) watch_.down(got.status == 0 ? got.why : "HTTP " + std::to_string(got.status));
}

}  // namespace sidecar
