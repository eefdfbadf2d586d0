#pragma once
// conf/checks.hpp - what a value must fulfil beyond its type. A check is a callable that takes the value and answers
// with what is expected instead ("at least 1s"), or with nothing if all is well.

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/values.hpp"

namespace conf {

using objection = std::optional<std::string>;

/// low ≤ value ≤ high; "never" is within any bounds.
template <class Low, class High>
auto between(Low low, High high) {
    return [=]<class T>(const T& value) -> objection {
        if constexpr (requires { value.has_value(); })
            if (!value) return std::nullopt;
        const T least{low};
        const T most{high};
        if (!(value < least) && !(most < value)) return std::nullopt;
        return fmt::format("{} to {}", to_text(least), to_text(most));
    };
}

template <class Low>
auto at_least(Low low) {
    return [=]<class T>(const T& value) -> objection {
        const T least{low};
        if (!(value < least)) return std::nullopt;
        return fmt::format("at least {}", to_text(least));
    };
}

objection not_empty(const std::string& value);

/// AMQP's short strings hold 255 bytes.
objection short_text(const std::string& value);

/// Leaves room in a column of 255 for what makes it unique.
objection instance_name(const std::string& value);

/// Letters, digits, _ and $, and one dot between schema and table; each part at most 64 long. Safe to put into SQL.
objection table_name(const std::string& value);

/// Letters, digits, - _ and dots, at most 64: fit for a label, a file's name and a command line.
objection source_name(const std::string& value);

/// A url of one of the schemes; with a query only for http and https. Answers with a whole sentence that repeats
/// nothing of the url.
objection usable_url(const std::string& value, std::initializer_list<std::string_view> schemes);

// What rules ask about urls. Both have nothing to object to a url that can't be parsed, or that is empty.
bool has_password(const std::string& url);
bool names_database(const std::string& url);

/// Whether messages are to be printed instead of sent: one of the urls is log:.
bool names_log(const std::vector<std::string>& urls);

/// No queue is named by two of them.
bool all_different(const std::vector<dead_letters>& queues);

/// One of them is a pattern of names.
bool has_patterns(const std::vector<dead_letters>& queues);

/// Empty, or an address to listen on: conf/address.hpp.
objection listening_address(const std::string& value);

/// Empty, or the path of a file that can be opened for reading.
objection readable_file(const std::string& value);

}  // namespace conf
