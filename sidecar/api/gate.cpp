#include "sidecar/api/gate.hpp"

#include <algorithm>

#include "sidecar/api/body.hpp"
#include "sidecar/api/static_files.hpp"

namespace sidecar::api {
namespace {

constexpr std::string_view base = "/api/v1";
constexpr std::string_view console_folder = "/console/";
constexpr std::size_t largest_login = 4 * 1024;
constexpr std::string_view session_cookie = "outbox_session";

constexpr std::string_view console_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Whatever the handler throws is an answer, too.
template <class Call>
answer answer_to(Call&& call) {
    try {
        return call();
    } catch (const problem& what) {
        return answer_of(what);
    } catch (const outbox::store_unavailable& error) {
        return answer_of(problem(503, std::string("the database: ") + error.what(), 5));
    } catch (const outbox::store_busy& error) {
        return answer_of(problem(503, std::string("the database is busy: ") + error.what(), 1));
    } catch (const outbox::store_error& error) {
        return answer_of(problem(500, std::string("the database: ") + error.what()));
    } catch (const std::exception& error) {
        return answer_of(problem(500, error.what()));
    }
}

bool is_json(std::string_view content_type) {
    constexpr std::string_view name = "application/json";
    const auto type = content_type.substr(0, content_type.find_first_of("; "));
    return std::equal(type.begin(), type.end(), name.begin(), name.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// nullopt: no such header. What is no Bearer is a token that nobody has.
std::optional<std::string> bearer_of(const std::string& authorization) {
    if (authorization.empty()) return std::nullopt;
    constexpr std::string_view scheme = "bearer ";
    const bool fits = authorization.size() > scheme.size() &&
                      std::equal(scheme.begin(), scheme.end(), authorization.begin(),
                                 [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
    return fits ? authorization.substr(scheme.size()) : std::string();
}

bool is_unsafe(std::string_view method) { return method != "GET" && method != "HEAD"; }

// Answered once, in any case.
class pending {
  public:
    explicit pending(std::function<void(answer&&)> reply) : reply_(std::move(reply)) {}
    ~pending() {
        if (reply_) reply_(answer_of(problem(503, "the sidecar is stopping", 5)));
    }
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;

    void answered(answer&& result) { std::exchange(reply_, nullptr)(std::move(result)); }

  private:
    std::function<void(answer&&)> reply_;
};

problem not_allowed(const identity& known) {
    if (!known.who.as) {
        return known.by == proof::token ? problem(401, "this token is not known here")
                                        : problem(401, "log in, or send a token: Authorization: Bearer …");
    }
    return problem(403, "this is not for the role " + std::string(name_of(*known.who.as)));
}

}  // namespace

gate::gate(const router& routes, access& who, worker_pool& pool, std::vector<std::string> hosts, log& out)
    : routes_(routes), access_(who), pool_(pool), hosts_(std::move(hosts)), out_(out) {}

std::variant<admitted, answer> gate::admit(const request_head& head) const {
    std::variant<admitted, answer> result;
    auto refusal = answer_to([&] {
        result = admitted_or_not(head);
        return answer{};
    });
    if (refusal.status == 200) return result;
    if (refusal.status == 401) refusal.headers.emplace_back("WWW-Authenticate", "Bearer");
    return refusal;
}

std::variant<admitted, answer> gate::admitted_or_not(const request_head& head) const {
    if (!is_host_of(head.host, hosts_))
        throw problem(421, "this server is not meant to be reached under that name; http.access.hosts names those");
    const auto mark = std::min(head.target.find('?'), head.target.size());
    const auto path = std::string_view(head.target).substr(0, mark);
    if (path == "/" || path.starts_with(console_folder)) return console(head, path);
    if (!path.starts_with(base)) throw problem(404, "there is nothing here");

    auto found = routes_.find(head.method, path.substr(base.size()));
    if (std::holds_alternative<no_such_path>(found)) throw problem(404, "there is nothing here");
    if (const auto* other = std::get_if<no_such_method>(&found)) {
        auto result = answer_of(problem(405, "only " + other->allowed + " here"));
        result.headers.emplace_back("Allow", other->allowed);
        return result;
    }
    auto& [to, params] = std::get<match>(found);
    const auto known =
        access_.identify(bearer_of(head.authorization), cookie_in(head.cookie, session_cookie), head.from);
    if (!permits(to->who, known.who.as)) throw not_allowed(known);
    const bool unsafe = is_unsafe(head.method);
    const bool login = unsafe && to->who == needs::nothing && to->method == "POST";
    // Of a stranger's there is nothing to protect.
    const bool logout = to->who == needs::nothing && !login && !known.who.as;
    if (unsafe && !logout) refuse_other_sites(head, login ? identity{known.who, proof::none} : known);
    if (head.has_body && to->method != "POST") throw problem(413, "this takes no body");
    if (head.has_body && !is_json(head.content_type)) throw problem(415, "the body is to be application/json");

    admitted result{to, {}, 0};
    result.asked.method = to->method;
    result.asked.params = std::move(params);
    result.asked.query = parse_query(std::string_view(head.target).substr(std::min(mark + 1, head.target.size())));
    // What changes something says all in its body: ?dry_run=true is not to be overlooked.
    if (unsafe && !result.asked.query.empty())
        throw problem(400, result.asked.query.front().first + ": nobody knows this name here; it goes into the body");
    result.asked.who = known.who;
    result.asked.if_none_match = head.if_none_match;
    if (to->method == "POST") result.body_limit = login ? largest_login : largest_body;
    return result;
}

void gate::refuse_other_sites(const request_head& head, const identity& known) const {
    const auto& right = known.who.csrf_token;
    origin_signs signs;
    signs.by = known.by;
    signs.csrf_token_right = !right.empty() && same(digest_of(right), digest_of(head.csrf_token));
    signs.json = is_json(head.content_type);
    signs.fetch_site = head.fetch_site;
    signs.origin = head.origin;
    signs.host = head.host;
    if (const auto objection = objection_to(signs); !objection.empty()) throw problem(403, objection);
}

answer gate::console(const request_head& head, std::string_view path) const {
    if (is_unsafe(head.method)) {
        auto result = answer_of(problem(405, "only GET and HEAD here"));
        result.headers.emplace_back("Allow", "GET, HEAD");
        return result;
    }
    if (head.has_body) throw problem(413, "this takes no body");
    const auto name = path == "/" ? std::string_view("index.html") : path.substr(console_folder.size());
    if (name == "openapi.yaml") throw problem(404, "there is nothing here");
    auto result = file_answer(name, head.if_none_match);
    result.headers.emplace_back("Content-Security-Policy", console_policy);
    return result;
}

void gate::handle(admitted&& what, std::string&& body, std::function<void(answer&&)> reply) const {
    const auto parse = [](admitted& to, const std::string& text) {
        if (!text.empty()) to.asked.body = parse_body(text);
    };
    if (const auto* quick = std::get_if<quick_handler>(&what.to->handler)) {
        auto result = answer_to([&] {
            parse(what, body);
            return (*quick)(what.asked);
        });
        audit(what, result);
        return reply(std::move(result));
    }
    const auto later = std::make_shared<pending>(std::move(reply));
    const bool taken = pool_.take([this, parse, what, body = std::move(body), later](outbox::store& store) mutable {
        auto result = answer_to([&] {
            parse(what, body);
            return std::get<store_handler>(what.to->handler)(what.asked, store);
        });
        audit(what, result);
        later->answered(std::move(result));
    });
    if (!taken) later->answered(answer_of(problem(503, "too many requests wait for the database already", 1)));
}

// Logins have lines of their own.
void gate::audit(const admitted& what, const answer& result) const {
    if (what.to->method == "GET" || what.to->who == needs::nothing) return;
    std::string path = what.to->pattern;
    for (const auto& [name, value] : what.asked.params) {
        if (const auto at = path.find('{' + name + '}'); at != path.npos) path.replace(at, name.size() + 2, value);
    }
    out_.info("api_call", result.status < 300 ? "a call of the API" : "a call of the API that was refused or failed",
              {{"who", what.asked.who.name},
               {"from", what.asked.who.from},
               {"method", what.to->method},
               {"path", path},
               {"what", result.audit},
               {"status", result.status}});
}

answer file_answer(std::string_view name, std::string_view if_none_match) {
    const auto* file = find_static_file(name);
    if (file == nullptr) throw problem(404, "there is nothing here");
    const auto etag = etag_of(*file);
    answer result;
    result.headers = {{"ETag", etag}, {"Cache-Control", "no-cache"}};
    if (if_none_match.find(etag) != if_none_match.npos) {
        result.status = 304;
        result.content_type.clear();
        return result;
    }
    result.content_type = content_type_of(name);
    result.body = file->content;
    return result;
}

}  // namespace sidecar::api
