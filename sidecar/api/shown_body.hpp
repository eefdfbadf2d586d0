#pragma once
// sidecar/api/shown_body.hpp - what is stored, as the API shows it.

#include <optional>
#include <string>

#include "sidecar/api/exchange.hpp"

namespace sidecar::api {

/// {"as": "json", "text" or "hex", "text", "size", "complete"} of a body of `size` bytes, or of its first ones. JSON is
/// spelled as it is; a character cut off at the end of a text is left out.
json shown_body(const std::string& body, std::uint64_t size);

/// A column's text as a JSON document, or as a text where it is none or nests too deeply; nullopt: null.
json document_of(const std::optional<std::string>& text);

}  // namespace sidecar::api
