#include "sidecar/api/cursor.hpp"

#include "relay/digest.hpp"
#include "sidecar/api/base64url.hpp"

namespace sidecar::api {
namespace {

// Enough against what was cut off or made up by accident. A place does no harm to anybody, so it needs no secret.
constexpr std::size_t check_size = 8;

std::string check_of(std::string_view listing, std::string_view text) {
    constexpr std::string_view prefix = "sha256:";
    return relay::sha256_of(std::string(listing) + '\n' + std::string(text)).substr(prefix.size(), check_size);
}

}  // namespace

std::string sealed(std::string_view listing, const json& place) {
    const auto bytes = json::to_cbor(place);  // which takes ids that are not UTF-8, too
    const std::string text(bytes.begin(), bytes.end());
    return base64url(check_of(listing, text) + text);
}

json opened(std::string_view listing, std::string_view cursor) {
    const auto text = from_base64url(cursor);
    if (text && text->size() > check_size) {
        const auto place = text->substr(check_size);
        if (check_of(listing, place) == text->substr(0, check_size))
            if (auto document = json::from_cbor(place, true, false); !document.is_discarded()) return document;
    }
    throw problem(400, "cursor: expected one that came as `next` from this listing");
}

std::string cursor_of(const outbox::list_place& place) {
    return sealed("messages", {place.update_time ? json(*place.update_time) : json(), place.id});
}

outbox::list_place parse_cursor(std::string_view cursor) {
    const auto place = opened("messages", cursor);
    const bool good = place.is_array() && place.size() == 2 && (place[0].is_null() || place[0].is_number_integer()) &&
                      place[1].is_string();
    if (!good) throw problem(400, "cursor: expected one that came as `next` from this listing");
    return {place[0].is_null() ? std::nullopt : std::optional(place[0].get<outbox::epoch_ms>()),
            place[1].get<std::string>()};
}

}  // namespace sidecar::api
