#pragma once
// outbox/sql_values.hpp - what goes into a statement, and what comes out.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace outbox {

using sql_value = std::variant<std::int64_t, std::string_view>;

/// One row of a result. Columns count from 1. Valid only during the callback it is given to.
class sql_row {
  public:
    virtual ~sql_row() = default;
    virtual std::optional<std::string> text(unsigned column) const = 0;
    virtual std::optional<std::int64_t> number(unsigned column) const = 0;
};

}  // namespace outbox
