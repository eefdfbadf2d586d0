#pragma once
// sidecar/api/values.hpp - reads the named values of a request. Whatever is wrong with one is a problem, 400, that
// names it.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/inspection.hpp"
#include "sidecar/api/exchange.hpp"

namespace sidecar::api {

/// Ask for all that there may be, then call done(), which refuses the others:
///
///     auto in = values::of_query(asked);
///     const auto filter = read_filter(in);
///     const auto limit = in.number("limit", 1, 500).value_or(50);
///     in.done();
class values {
  public:
    static values of_query(const request& asked);
    /// Of the body, which has to be an object; without a body there are none.
    static values of_body(const request& asked);

    /// The same name with an empty value is a text, too.
    std::optional<std::string> text(std::string_view name);
    std::optional<std::int64_t> number(std::string_view name, std::int64_t least, std::int64_t most);
    std::optional<outbox::epoch_ms> time(std::string_view name);
    /// true or false; absent: false.
    bool flag(std::string_view name);
    /// One of these.
    std::optional<std::string> choice(std::string_view name, std::initializer_list<std::string_view> of);

    /// Only of a body. Texts, each once; at least one, at most so many.
    std::vector<std::string> texts(std::string_view name, std::size_t most);
    /// Likewise, whole numbers from 1 on.
    std::vector<std::int64_t> numbers(std::string_view name, std::size_t most);
    /// Likewise, the object of that name; absent: without values. Is to be done() by itself.
    values object(std::string_view name);
    /// Likewise, whatever it is; nullopt: absent.
    std::optional<json> any(std::string_view name);

    /// Throws for a value that nobody asked for.
    void done() const;

  private:
    values(json of, bool written, std::string within)
        : all_(std::move(of)), written_(written), within_(std::move(within)) {}

    const json* find(std::string_view name);
    std::string named(std::string_view name) const;
    [[noreturn]] void refuse(std::string_view name, const std::string& why) const;

    json all_;            // an object
    bool written_;        // all values are texts, as in a query
    std::string within_;  // "filter.", for complaints
    std::set<std::string, std::less<>> asked_;
};

/// The values status, exchange, routing_key, id_prefix, error, since and before.
outbox::message_filter read_filter(values& in);

}  // namespace sidecar::api
