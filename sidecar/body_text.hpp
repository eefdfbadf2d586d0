#pragma once
// sidecar/body_text.hpp - a message's body, made fit to be looked at.

#include <optional>
#include <string>
#include <string_view>

namespace sidecar {

/// JSON with each member on a line of its own, every value spelled as it was; empty when the text is no JSON.
std::string indented_json(std::string_view text);

/// The body if it is UTF-8. `whole`: not just the first bytes, of which the last may be half a character, left out
/// here.
std::optional<std::string_view> shown_text(std::string_view body, bool whole);

/// JSON indented, other text as it is, line by line, anything else as bytes in hexadecimal. Safe to print on a
/// terminal; ends in a line break.
std::string body_text(std::string_view body, bool whole);

}  // namespace sidecar
