#pragma once
// sidecar/api/sessions.hpp - who has logged in with a browser. In memory only: a restart forgets them.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "relay/clock.hpp"
#include "sidecar/api/tokens.hpp"

namespace sidecar::api {

/// 256 random bits as base64url.
std::string random_secret();

/// One thread at a time.
class sessions {
  public:
    static constexpr std::chrono::hours lifetime{12};
    static constexpr std::size_t most = 1'000;  // then the oldest goes

    /// A new one for the owner of that token. Returns its id, for the cookie; only its digest is kept.
    std::string begin(const digest& token, relay::time_point now);

    /// Whose token it began with; nullopt: there is no such session, or it is over.
    std::optional<digest> find(std::string_view id, relay::time_point now) const;

    void end(std::string_view id);

    std::size_t count() const { return all_.size(); }

  private:
    struct session {
        digest token;
        relay::time_point began;
    };

    // By digest of the id: whoever asks can't learn from the time that a search takes.
    std::map<digest, session> all_;
};

/// What X-CSRF-Token has to be in a session: only who may read answers can know it.
std::string csrf_token_of(std::string_view session_id);

}  // namespace sidecar::api
