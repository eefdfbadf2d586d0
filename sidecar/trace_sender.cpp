#include "sidecar/trace_sender.hpp"

#include <charconv>
#include <future>

#include "conf/url.hpp"
#include "sidecar/http_client.hpp"
#include "sidecar/worker.hpp"

namespace sidecar {
namespace {

using namespace std::chrono_literals;

constexpr auto last_words = 1s;

// Retry-After can also be a date; then we come again as we would without it.
std::optional<std::chrono::seconds> seconds_of(const std::optional<std::string>& text) {
    unsigned number = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{}) return {};
    return std::chrono::seconds(number);
}

}  // namespace

struct trace_sender::impl {
    impl(const conf::tracing& s, const std::string& instance, tracer& from_in, metrics& numbers, log& out)
        : settings(s),
          from(from_in),
          client({.timeout = s.timeout, .tls = s.tls, .body_limit = 64 * 1024}),
          exporter(from, s, {s.service_name, instance}, [this](const std::string& body) { return post(body); },
                   {[&numbers](std::size_t spans) { numbers.spans(metrics::span_fate::delivered, spans); },
                    [&numbers, &out](std::size_t spans, const std::string& why) {
                        numbers.spans(metrics::span_fate::refused, spans);
                        out.warning("spans_refused", "the collector of traces refused spans: they are lost",
                                    {{"spans", spans}, {"reason", why}});
                    },
                    [&out, where = conf::masked(s.endpoint)](const std::string& why) {
                        out.warning("collector_down", "spans can't be delivered; what finds no room is dropped",
                                    {{"where", where}, {"reason", why}});
                    },
                    [&out, where = conf::masked(s.endpoint)] {
                        out.info("collector_up", "spans are delivered again", {{"where", where}});
                    }}),
          thread([this](worker& me) { deliver(me); }) {}

    ~impl() {
        thread.stop();
        from.wake();
        if (ended.get_future().wait_for(last_words) == std::future_status::timeout) client.stop();
    }

    void deliver(worker& me) {
        while (me.going()) from.wait(exporter.run_once());
        exporter.run_once();
        ended.set_value();
    }

    span_exporter::answer post(const std::string& body) {
        http_request request{.method = "POST", .url = settings.endpoint, .body = body};
        request.headers.emplace_back("Content-Type", "application/json");
        if (!settings.authorization.value.empty())
            request.headers.emplace_back("Authorization", settings.authorization.value);
        try {
            const auto reply = client.call(request);
            return {reply.status, "", seconds_of(reply.header("Retry-After"))};
        } catch (const std::exception& error) {
            return {0, error.what()};
        }
    }

    const conf::tracing settings;
    tracer& from;
    http_client client;
    span_exporter exporter;
    std::promise<void> ended;
    worker thread;  // the last: it uses the others
};

trace_sender::trace_sender(const conf::tracing& settings, const std::string& instance, tracer& from, metrics& numbers,
                           log& out) {
    if (!settings.endpoint.empty()) impl_ = std::make_unique<impl>(settings, instance, from, numbers, out);
}

trace_sender::~trace_sender() = default;

}  // namespace sidecar
