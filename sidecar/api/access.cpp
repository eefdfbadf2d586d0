#include "sidecar/api/access.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "conf/load.hpp"

namespace sidecar::api {
namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 1s;

}  // namespace

bool access::stamp::operator==(const stamp& other) const {
    return modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec &&
           file == other.file && size == other.size;
}

access::stamp access::stamp_of(const std::string& file) {
    struct stat about {};
    if (stat(file.c_str(), &about) != 0) return {};
    return {about.st_mtim, about.st_ino, about.st_size};
}

void access::warn_of(const token_file& read) const {
    if (read.world_readable)
        out_.warning("tokens_world_readable", "every user of this machine can read the tokens: chmod o-r",
                     {{"file", file_}});
}

void access::apply(const conf::http_access& settings) {
    const auto found = stamp_of(settings.tokens_file);
    token_file read;
    if (!settings.tokens_file.empty()) read = load_tokens(settings.tokens_file);
    const std::lock_guard lock(mutex_);
    file_ = settings.tokens_file;
    stamp_ = found;
    tokens_ = std::move(read.all);
    looked_ = clock_.now();
    warn_of(read);
}

void access::refresh() {
    const std::lock_guard lock(mutex_);
    look(true);
}

void access::look(bool now) {
    if (file_.empty() || (!now && clock_.now() - looked_ < between_looks)) return;
    looked_ = clock_.now();
    // Before reading: what is written meanwhile is seen the next time.
    const auto found = stamp_of(file_);
    if (found == stamp_) return;
    stamp_ = found;
    try {
        auto read = load_tokens(file_);
        tokens_ = std::move(read.all);
        warn_of(read);
        out_.info("tokens_reloaded", "the tokens of the API were read again",
                  {{"file", file_}, {"tokens", tokens_.size()}});
    } catch (const conf::invalid& error) {
        for (const auto& one : error.problems())
            out_.error("tokens_refused", "the tokens stay as they were: " + one.what, {{"where", one.where}});
    }
}

bool access::required() const {
    const std::lock_guard lock(mutex_);
    return !file_.empty();
}

identity access::identify(const std::optional<std::string>& bearer, std::string_view cookie, const std::string& from) {
    const std::lock_guard lock(mutex_);
    if (file_.empty()) return {{"anyone", role::operating, from, std::string(cookie), open_csrf_token_}, proof::none};
    look(false);
    identity result{{"", std::nullopt, from, std::string(cookie), ""}, proof::none};
    const token* known = nullptr;
    if (bearer) {
        known = find_token(tokens_, *bearer);
        result.by = proof::token;
    } else if (const auto began_with = cookie.empty() ? std::nullopt : sessions_.find(cookie, clock_.now())) {
        // Whoever's token was taken out of the file has no session any more.
        const auto found =
            std::find_if(tokens_.begin(), tokens_.end(), [&](const auto& one) { return same(one.hash, *began_with); });
        known = found == tokens_.end() ? nullptr : &*found;
        result.by = proof::cookie;
        result.who.csrf_token = csrf_token_of(cookie);
    }
    if (known == nullptr) return {{"", std::nullopt, from, std::string(cookie), ""}, result.by};
    result.who.name = known->name;
    result.who.as = known->as;
    return result;
}

std::variant<logged_in, wrong_token, too_many_logins> access::login(std::string_view text, const std::string& from) {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    if (const auto wait = logins_.wait(from, now)) return too_many_logins{*wait};
    look(true);
    const auto* known = find_token(tokens_, text);
    if (known == nullptr) {
        logins_.failed(from, now);
        if (refusals_.allows(now)) out_.warning("api_login_refused", "a login with a wrong token", {{"from", from}});
        return wrong_token{};
    }
    auto id = sessions_.begin(known->hash, now);
    out_.info("api_login", "logged in to the API", {{"who", known->name}, {"from", from}});
    caller who{known->name, known->as, from, id, csrf_token_of(id)};
    return logged_in{std::move(who), std::move(id)};
}

void access::logout(std::string_view session) {
    const std::lock_guard lock(mutex_);
    sessions_.end(session);
}

}  // namespace sidecar::api
