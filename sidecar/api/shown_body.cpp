#include "sidecar/api/shown_body.hpp"

#include "sidecar/api/body.hpp"
#include "sidecar/body_text.hpp"

namespace sidecar::api {

json shown_body(const std::string& body, std::uint64_t size) {
    const bool whole = body.size() == size;
    json result = {{"as", "hex"}, {"text", ""}, {"size", size}, {"complete", whole}};
    if (const auto text = shown_text(body, whole)) {
        result["as"] = whole && json::accept(*text) ? "json" : "text";
        result["text"] = *text;
        return result;
    }
    std::string hex;
    for (const char c : body) {
        const auto byte = static_cast<unsigned char>(c);
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    result["text"] = hex;
    return result;
}

json document_of(const std::optional<std::string>& text) {
    if (!text) return nullptr;
    try {
        return parse_body(*text);
    } catch (const problem&) {
        return *text;
    }
}

}  // namespace sidecar::api
