#include "sidecar/api/sessions.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "sidecar/api/base64url.hpp"

namespace sidecar::api {

std::string random_secret() {
    std::string bytes(32, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("this machine gives no random numbers");
    return base64url(bytes);
}

std::string sessions::begin(const digest& token, relay::time_point now) {
    std::erase_if(all_, [&](const auto& one) { return now - one.second.began >= lifetime; });
    if (all_.size() >= most)
        all_.erase(std::min_element(all_.begin(), all_.end(),
                                    [](const auto& a, const auto& b) { return a.second.began < b.second.began; }));
    auto id = random_secret();
    all_.emplace(digest_of(id), session{token, now});
    return id;
}

std::optional<digest> sessions::find(std::string_view id, relay::time_point now) const {
    const auto found = all_.find(digest_of(id));
    if (found == all_.end() || now - found->second.began >= lifetime) return std::nullopt;
    return found->second.token;
}

void sessions::end(std::string_view id) { all_.erase(digest_of(id)); }

std::string csrf_token_of(std::string_view session_id) {
    const auto hash = digest_of("csrf " + std::string(session_id));
    return base64url({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace sidecar::api
