#pragma once
// conf/values.hpp - every type a single setting can have, from text and back. What one writes, the other reads.

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "conf/settings.hpp"
#include "conf/units.hpp"

namespace conf {

// How the values of each enumeration are spelled.

template <class E, std::size_t N>
using spellings = std::array<std::pair<E, std::string_view>, N>;

constexpr auto spellings_of(tls_mode) {
    return spellings<tls_mode, 2>{{{tls_mode::off, "off"}, {tls_mode::required, "required"}}};
}
constexpr auto spellings_of(envelope) {
    return spellings<envelope, 3>{
        {{envelope::none, "none"}, {envelope::row, "row"}, {envelope::cloudevents, "cloudevents"}}};
}
constexpr auto spellings_of(after_delivery) {
    return spellings<after_delivery, 2>{{{after_delivery::keep, "keep"}, {after_delivery::remove, "delete"}}};
}
constexpr auto spellings_of(unroutable) {
    return spellings<unroutable, 3>{
        {{unroutable::retry, "retry"}, {unroutable::park, "park"}, {unroutable::fail, "fail"}}};
}
constexpr auto spellings_of(on_failed) {
    return spellings<on_failed, 2>{{{on_failed::skip, "skip"}, {on_failed::block, "block"}}};
}
constexpr auto spellings_of(retry_strategy) {
    return spellings<retry_strategy, 4>{{{retry_strategy::fixed, "fixed"},
                                         {retry_strategy::linear, "linear"},
                                         {retry_strategy::exponential, "exponential"},
                                         {retry_strategy::random, "random"}}};
}
constexpr auto spellings_of(log_format) {
    return spellings<log_format, 3>{
        {{log_format::automatic, "auto"}, {log_format::text, "text"}, {log_format::json, "json"}}};
}
constexpr auto spellings_of(log_level) {
    return spellings<log_level, 5>{{{log_level::trace, "trace"},
                                    {log_level::debug, "debug"},
                                    {log_level::info, "info"},
                                    {log_level::warning, "warning"},
                                    {log_level::error, "error"}}};
}

template <class E>
concept spelled = std::is_enum_v<E>;

// from_text throws wrong_value and then leaves the value as it was.

void from_text(std::string_view text, std::string& value);
void from_text(std::string_view text, bool& value);
void from_text(std::string_view text, std::uint32_t& value);
void from_text(std::string_view text, double& value);
void from_text(std::string_view text, milliseconds& value);
void from_text(std::string_view text, std::optional<milliseconds>& value);  // nullopt is "never"
void from_text(std::string_view text, byte_size& value);

template <spelled E>
void from_text(std::string_view text, E& value) {
    std::string expected;
    for (const auto& [candidate, name] : spellings_of(E{})) {
        if (name == text) return void(value = candidate);
        expected.append(expected.empty() ? "one of " : ", ").append(name);
    }
    throw wrong_value{expected};
}

std::string to_text(const std::string& value);
std::string to_text(bool value);
std::string to_text(std::uint32_t value);
std::string to_text(double value);
std::string to_text(milliseconds value);
std::string to_text(const std::optional<milliseconds>& value);
std::string to_text(byte_size value);

template <spelled E>
std::string to_text(E value) {
    for (const auto& [candidate, name] : spellings_of(E{}))
        if (candidate == value) return std::string{name};
    return {};
}

/// Foreign text made fit for one line of an error message: cut to a length, without control characters.
std::string printable(std::string_view text);

/// The same in quotation marks.
std::string in_quotes(std::string_view text);

/// How many letters to insert, delete, replace or swap with their neighbour to make one text of the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known name nearest to a mistyped one, as far as that is a likely slip of the fingers; otherwise "".
template <class Names>
std::string nearest(std::string_view wrong, const Names& known) {
    std::string best;
    std::size_t least = wrong.size() / 3 + 2;  // no further than a third of the letters, at least one
    for (const auto& name : known) {
        if (const auto d = edit_distance(wrong, name); d < least) {
            least = d;
            best = name;
        }
    }
    return best;
}

}  // namespace conf
