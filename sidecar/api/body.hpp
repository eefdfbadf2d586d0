#pragma once
// sidecar/api/body.hpp - the body of a request.

#include <string>

#include "sidecar/api/exchange.hpp"

namespace sidecar::api {

/// The JSON document. Throws a problem, 400, for what is none, nests deeper than 32 levels, or has a member twice, of
/// which nobody could know which was meant.
json parse_body(const std::string& text);

}  // namespace sidecar::api
