#include "relay/verdict.hpp"

#include <fmt/format.h>

#include "relay/overloaded.hpp"

namespace relay {
namespace {

outbox::settlement spend_try(const attempt& one, const retry_rules& rules, double draw, bool last = false) {
    outbox::settlement result;
    result.id = one.row.id;
    result.try_count = tries_after(one.row.try_count);
    result.error = describe(one.result);
    const auto& policy = rules.policy_for(one.row.exchange, one.row.routing_key);
    if (const auto delay = next_delay(policy, result.try_count, draw); delay && !last) {
        result.what = outbox::settlement::kind::retry;
        result.delay = *delay;
    } else {
        result.what = outbox::settlement::kind::failed;
    }
    return result;
}

}  // namespace

std::optional<outbox::settlement> judge(const attempt& one, const retry_rules& rules, double draw) {
    using kind = outbox::settlement::kind;
    using result = std::optional<outbox::settlement>;
    return std::visit(overloaded{
                          [&](const confirmed&) -> result {
                              return outbox::settlement{one.row.id, kind::delivered, one.row.try_count, {}, {}};
                          },
                          [&](const returned&) -> result {
                              return spend_try(one, rules, draw, rules.unroutable() == conf::unroutable::fail);
                          },
                          [&](const refused&) -> result { return spend_try(one, rules, draw); },
                          [&](const no_exchange&) -> result { return spend_try(one, rules, draw); },
                          [&](const impossible& why) -> result {
                              const auto tries = std::max<std::int64_t>(0, one.row.try_count);
                              return outbox::settlement{one.row.id, kind::failed, tries, {}, why.reason};
                          },
                          [&](const unknown&) -> result { return std::nullopt; },
                          [&](const parked& p) -> result {
                              return outbox::settlement{.id = one.row.id,
                                                        .what = kind::parked,
                                                        .error = std::string(outbox::parked_mark) + p.reason,
                                                        .until = p.until};
                          },
                      },
                      one.result);
}

std::string describe(const outcome& result) {
    return std::visit(overloaded{
                          [](const confirmed&) -> std::string { return "confirmed"; },
                          [](const returned& r) { return fmt::format("{} {}", r.code, r.text); },
                          [](const refused&) -> std::string { return "nack: the broker refused the message"; },
                          [](const no_exchange& r) { return fmt::format("{} {}", r.code, r.text); },
                          [](const impossible& r) { return r.reason; },
                          [](const unknown&) -> std::string { return "outcome unknown"; },
                          [](const parked& p) { return p.reason; },
                      },
                      result);
}

}  // namespace relay
