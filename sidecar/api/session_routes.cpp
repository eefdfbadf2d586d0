// The routes at /session: who am I, log in, log out.
#include "sidecar/api/routes.hpp"
#include "sidecar/api/values.hpp"

namespace sidecar::api {
namespace {

answer described(const caller& who, bool required) {
    const auto or_null = [](std::string_view text) { return text.empty() ? json() : json(text); };
    return json_answer({{"required", required},
                        {"name", or_null(who.name)},
                        {"role", who.as ? json(name_of(*who.as)) : json()},
                        {"csrf", or_null(who.csrf_token)}});
}

std::pair<std::string, std::string> cookie(const std::string& value, std::chrono::seconds lasts, bool tls) {
    return {"Set-Cookie", "outbox_session=" + value + "; HttpOnly; SameSite=Strict; Path=/; Max-Age=" +
                              std::to_string(lasts.count()) + (tls ? "; Secure" : "")};
}

answer log_in(const request& asked, access& who, bool tls) {
    auto in = values::of_body(asked);
    const auto token = in.text("token");
    in.done();
    if (!who.required()) return described(asked.who, false);
    if (!token) throw problem(400, "token: is missing");
    const auto outcome = who.login(*token, asked.who.from);
    if (const auto* later = std::get_if<too_many_logins>(&outcome))
        throw problem(429, "too many wrong tokens came from this address", static_cast<int>(later->wait.count()));
    if (std::holds_alternative<wrong_token>(outcome)) throw problem(401, "this token is not known here");
    const auto& in_now = std::get<logged_in>(outcome);
    auto result = described(in_now.who, true);
    result.headers.push_back(cookie(in_now.session, sessions::lifetime, tls));
    return result;
}

}  // namespace

void add_session(router& to, const surroundings& with) {
    auto& who = with.who;
    const bool tls = !with.settings.http.access.cert_file.empty();
    to.add_quick("GET", "/session", needs::nothing, [&who](const request& asked) {
        values::of_query(asked).done();
        return described(asked.who, who.required());
    });
    to.add_quick("POST", "/session", needs::nothing,
                 [&who, tls](const request& asked) { return log_in(asked, who, tls); });
    to.add_quick("DELETE", "/session", needs::nothing, [&who, tls](const request& asked) {
        who.logout(asked.who.session_cookie);
        auto result = no_content();
        result.headers.push_back(cookie("", std::chrono::seconds(0), tls));
        return result;
    });
}

}  // namespace sidecar::api
