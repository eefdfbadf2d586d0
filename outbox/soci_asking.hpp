#pragma once
// outbox/soci_asking.hpp - a statement of soci_store that is being put together of parts which take arguments.

#include <fmt/format.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/soci_store.hpp"

namespace outbox {

// Names are given once each, so every part's are its own.
struct soci_store::asking {
    std::vector<sql_value> args;

    /// ":n1", for an expression.
    std::string number(std::int64_t value) {
        args.emplace_back(value);
        return fmt::format(":n{}", args.size());
    }
    /// "t1", for what the dialect makes of an argument's name.
    std::string name(std::string_view text) {
        args.emplace_back(texts_.emplace_back(text));
        return fmt::format("t{}", args.size());
    }
    /// Likewise, as the digits that given_bytes() reads.
    std::string hex(std::string_view bytes) {
        std::string digits;
        digits.reserve(2 * bytes.size());
        for (const char c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
        return name(digits);
    }

    asking() = default;
    asking(const asking&) = delete;  // args refer to texts_

  private:
    std::deque<std::string> texts_;
};

}  // namespace outbox
