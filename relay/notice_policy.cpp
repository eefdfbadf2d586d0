#include "relay/notice_policy.hpp"

#include <algorithm>

#include "relay/glob.hpp"

namespace relay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using kind = outbox::notice_outcome::kind;

constexpr auto longest_rest = 60s;

milliseconds asked_for(const conf::webhook& settings, const notice_answer& answer) {
    return std::clamp<milliseconds>(answer.wait.value_or(0ms), 0ms, settings.retry_max);
}

}  // namespace

const std::string& url_for(const conf::webhook& settings, std::string_view exchange, std::string_view routing_key) {
    for (const auto& one : settings.routes)
        if (matches(one.exchange, exchange) && matches(one.routing_key, routing_key)) return one.url;
    return settings.url;
}

milliseconds pause_after(const conf::webhook& settings, std::int64_t tries) {
    auto pause = settings.retry_initial;
    for (std::int64_t i = 1; i < tries && pause < settings.retry_max; ++i) pause *= 2;
    return std::min(pause, settings.retry_max);
}

outbox::notice_outcome judge(const conf::webhook& settings, std::int64_t entry, std::int64_t tries,
                             const notice_answer& answer) {
    using is = notice_answer::kind;
    if (answer.what == is::taken) return {entry, kind::told, 0ms, false, {}};
    if (answer.what == is::gone || tries + 1 >= settings.max_tries)
        return {entry, kind::given_up, 0ms, true, answer.why};
    return {entry, kind::again, std::max(pause_after(settings, tries + 1), asked_for(settings, answer)), true,
            answer.why};
}

milliseconds rest_after(const conf::webhook& settings, std::int64_t failures, const notice_answer& answer) {
    return std::max(std::min<milliseconds>(pause_after(settings, failures), longest_rest), asked_for(settings, answer));
}

}  // namespace relay
