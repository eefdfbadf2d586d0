#pragma once
// relay/notice_policy.hpp - whom a failure is told, and what an answer means for it. Pure; any thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conf/settings.hpp"
#include "outbox/notices.hpp"

namespace relay {

/// What the receiver made of one POST.
struct notice_answer {
    enum class kind {
        taken,    // 2xx: told
        refused,  // this one was not taken: others may be
        away,     // there is nobody, or they want to be left in peace: others would fare no better
        gone,     // 410: nobody wants to hear of it
    };

    kind what = kind::taken;
    std::string why;                                // but for `taken`
    std::optional<std::chrono::milliseconds> wait;  // as asked for by the receiver (Retry-After)
};

/// The url that failures of this exchange and key are told to: the first route that matches decides. Empty: nobody.
const std::string& url_for(const conf::webhook& settings, std::string_view exchange, std::string_view routing_key);

/// The pause after so many failed tries: retry_initial, doubled each time up to retry_max.
std::chrono::milliseconds pause_after(const conf::webhook& settings, std::int64_t tries);

/// What an answer means for the entry: one that was told `tries` times in vain before.
outbox::notice_outcome judge(const conf::webhook& settings, std::int64_t entry, std::int64_t tries,
                             const notice_answer& answer);

/// For how long nobody else is told at this url, after `failures` answers of the kind `away` in a row: as the pause
/// above, but a minute at most, unless the receiver has asked for more.
std::chrono::milliseconds rest_after(const conf::webhook& settings, std::int64_t failures, const notice_answer& answer);

}  // namespace relay
