#pragma once
// sidecar/api/cursor.hpp - a place in a listing, as a text that clients hand back and make nothing of. It says what it
// is a place in, and carries a check sum, so that one that was made up, cut off or meant for another listing is
// refused.

#include <string>
#include <string_view>

#include "outbox/inspection.hpp"
#include "sidecar/api/exchange.hpp"

namespace sidecar::api {

/// `listing`: "messages", say. Letters, digits, - and _ only.
std::string sealed(std::string_view listing, const json& place);

/// What was sealed for that listing. Throws a problem, 400.
json opened(std::string_view listing, std::string_view cursor);

std::string cursor_of(const outbox::list_place& place);
/// Throws a problem, 400.
outbox::list_place parse_cursor(std::string_view cursor);

}  // namespace sidecar::api
