#pragma once
// sidecar/api/access.hpp - who asks: by a token, by the session that a token began, or, without a tokens file, anyone.

#include <sys/types.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conf/settings.hpp"
#include "relay/clock.hpp"
#include "sidecar/api/exchange.hpp"
#include "sidecar/api/guard.hpp"
#include "sidecar/api/login_throttle.hpp"
#include "sidecar/api/sessions.hpp"
#include "sidecar/api/tokens.hpp"
#include "sidecar/log.hpp"
#include "sidecar/throttle.hpp"

namespace sidecar::api {

/// Whoever it is, known by what.
struct identity {
    caller who;
    proof by = proof::none;
};

/// Of a login: the token was right; it was wrong; or this address has to wait.
struct logged_in {
    caller who;
    std::string session;  // for the cookie
};
struct wrong_token {};
struct too_many_logins {
    std::chrono::seconds wait;
};

/// Any thread. Lives as long as the process, so that a reload ends no session.
class access {
  public:
    access(const relay::clock& clock, log& out) : clock_(clock), out_(out) {}

    /// Reads the tokens file, if there is one. Throws conf::invalid, and then all stays as it was.
    void apply(const conf::http_access& settings);

    /// Reads the tokens file again if it has changed; one that has faults changes nothing, and they are logged. By
    /// itself, that is done at most once a second when somebody asks.
    void refresh();

    /// False: everyone is an operator.
    bool required() const;

    /// `bearer`: what came in Authorization; it goes before the cookie. A token or session that is not known: the
    /// role is nullopt.
    identity identify(const std::optional<std::string>& bearer, std::string_view cookie, const std::string& from);

    std::variant<logged_in, wrong_token, too_many_logins> login(std::string_view token, const std::string& from);
    void logout(std::string_view session);

  private:
    // When the file was changed, and which file it is; a new one may have an old time.
    struct stamp {
        timespec modified{};
        ino_t file = 0;
        off_t size = 0;
        bool operator==(const stamp& other) const;
    };

    static stamp stamp_of(const std::string& file);
    void look(bool now);
    void warn_of(const token_file& read) const;

    const relay::clock& clock_;
    log& out_;
    const std::string open_csrf_token_ = random_secret();  // while everyone is an operator

    mutable std::mutex mutex_;  // guards what follows
    std::string file_;          // empty: none
    std::vector<token> tokens_;
    stamp stamp_;
    relay::time_point looked_;
    sessions sessions_;
    login_throttle logins_;
    throttle refusals_{5};
};

}  // namespace sidecar::api
