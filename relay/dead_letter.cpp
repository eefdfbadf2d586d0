#include "relay/dead_letter.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace relay {
namespace {

using nlohmann::json;

const json* member(const json& object, std::string_view name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(std::string(name));
    return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> text(const json& object, std::string_view name) {
    const auto* value = member(object, name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return value->get<std::string>();
}

// Those below 0, and beyond what can be counted with, are nobody's.
std::optional<std::int64_t> number(const json& object, std::string_view name) {
    constexpr double most = 1e15;
    const auto* value = member(object, name);
    if (value == nullptr || !value->is_number()) return std::nullopt;
    const auto read = value->get<double>();
    if (!(read >= 0 && read <= most)) return std::nullopt;
    return static_cast<std::int64_t>(read);
}

std::string first_text(const json& death, std::string_view name) {
    const auto* all = member(death, name);
    if (all == nullptr || !all->is_array() || all->empty() || !all->front().is_string()) return {};
    return all->front().get<std::string>();
}

// The oldest is the last, unless the broker says which it is.
const json* first_death(const json& headers, const json& deaths) {
    const auto queue = text(headers, "x-first-death-queue");
    const auto reason = text(headers, "x-first-death-reason");
    const json* first = nullptr;
    for (const auto& one : deaths) {
        if (!one.is_object()) continue;
        first = &one;
        if (queue && text(one, "queue") == queue && text(one, "reason") == reason) break;
    }
    return first;
}

std::string time_text(std::int64_t seconds) {
    constexpr std::int64_t year_10000 = 253'402'300'800;
    if (seconds >= year_10000) return fmt::format("{} s after 1970", seconds);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::int64_t seconds_of(std::chrono::milliseconds time) {
    return std::chrono::ceil<std::chrono::seconds>(time).count();
}

std::string times(std::int64_t count) { return count == 1 ? "once" : fmt::format("{} times", count); }

}  // namespace

death_certificate read_certificate(const json& headers) {
    death_certificate found;
    if (const auto* deaths = member(headers, "x-death"); deaths != nullptr && deaths->is_array()) {
        if (const auto* first = first_death(headers, *deaths)) {
            found.queue = text(*first, "queue").value_or("");
            found.reason = text(*first, "reason").value_or("");
            if (const auto exchange = text(*first, "exchange"))
                found.origin = destination{*exchange, first_text(*first, "routing-keys")};
        }
        for (const auto& one : *deaths) {
            found.deaths += number(one, "count").value_or(1);
            if (const auto time = number(one, "time")) found.died = std::max(found.died.value_or(0), *time);
        }
    }
    if (!found.origin) {
        if (const auto exchange = text(headers, "x-original-exchange"))
            found.origin = destination{*exchange, text(headers, "x-original-routingKey").value_or("")};
    }
    found.redrives = number(headers, redrives_header).value_or(0);
    found.not_before = number(headers, not_before_header).value_or(0);
    found.deliveries = number(headers, "x-delivery-count").value_or(0);
    found.exception = text(headers, "x-exception-message").value_or("");
    found.stack_trace = text(headers, "x-exception-stacktrace").value_or("");
    return found;
}

std::optional<destination> destination_of(const death_certificate& of, const conf::dead_letters& settings) {
    if (settings.exchange.empty() && settings.routing_key.empty()) return of.origin;
    if (!settings.routing_key.empty()) return destination{settings.exchange, settings.routing_key};
    return destination{settings.exchange, of.origin ? of.origin->routing_key : ""};
}

fate decide(const death_certificate& of, const conf::dead_letters& settings, std::int64_t now) {
    const bool last = of.redrives >= settings.max_redrives;
    const auto to = destination_of(of, settings);
    if (!last && !to) return no_origin{};
    auto due = of.not_before;
    if (!last && of.died) due = std::max(due, *of.died + seconds_of(settings.interval));
    if (due > now) return wait{std::chrono::seconds(due - now)};
    if (last) return file{};
    return redrive{*to};
}

const std::vector<std::string>& headers_of_death() {
    static const std::vector<std::string> names = {"x-death",
                                                   "x-first-death-exchange",
                                                   "x-first-death-queue",
                                                   "x-first-death-reason",
                                                   "x-last-death-exchange",
                                                   "x-last-death-queue",
                                                   "x-last-death-reason",
                                                   "x-delivery-count",
                                                   "x-exception-message",
                                                   "x-exception-stacktrace"};
    return names;
}

json headers_of_redrive(const death_certificate& of, const conf::dead_letters& settings, std::int64_t now) {
    return {{std::string(redrives_header), of.redrives + 1},
            {std::string(not_before_header), now + seconds_of(settings.interval)}};
}

std::string obituary(const death_certificate& of, std::string_view dead_letter_queue, std::string_view letter,
                     std::string_view why_now) {
    std::string all = of.reason.empty() ? "died" : of.reason;
    if (!of.queue.empty()) all += fmt::format(" in queue '{}'", of.queue);
    if (of.deaths > 1) all += fmt::format(", {} deaths", of.deaths);
    all += fmt::format("; from dead-letter queue '{}'", dead_letter_queue);
    all += of.redrives == 0 ? "; never redriven" : fmt::format("; redriven {}", times(of.redrives));
    if (of.died) all += fmt::format("; last died {}", time_text(*of.died));
    all += fmt::format("; letter {}", letter);
    for (const auto line : {why_now, std::string_view(of.exception), std::string_view(of.stack_trace)})
        if (!line.empty()) all.append("\n").append(line);
    return all;
}

}  // namespace relay
