#include "sidecar/api/tokens.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <new>

#include "conf/files.hpp"
#include "conf/load.hpp"
#include "outbox/utf8.hpp"

namespace sidecar::api {
namespace {

constexpr std::size_t largest_file = 1024 * 1024;

std::vector<std::string_view> words_of(std::string_view line) {
    constexpr std::string_view blank = " \t\r";
    std::vector<std::string_view> words;
    for (;;) {
        line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
        if (line.empty()) return words;
        words.push_back(line.substr(0, line.find_first_of(blank)));
        line.remove_prefix(words.back().size());
    }
}

bool is_visible(char c) { return c > ' ' && c < 0x7F; }

// What is wrong with a line of three words; empty: nothing.
std::string fault_of(std::string_view role, std::string_view name, std::string_view token) {
    // Not shown: it may be the token, in the wrong place.
    if (!role_named(role)) return "the first word is no role: expected viewer, operator or consumer";
    if (!outbox::is_utf8(name)) return "the name is not UTF-8";
    if (!std::all_of(token.begin(), token.end(), is_visible)) return "the token has other characters than ASCII's";
    if (token.size() < shortest_token)
        return "the token is shorter than " + std::to_string(shortest_token) + " characters";
    return {};
}

}  // namespace

digest digest_of(std::string_view text) {
    digest result{};
    unsigned int size = 0;
    // Of a digest that is built in, only memory can run out.
    if (EVP_Digest(text.data(), text.size(), result.data(), &size, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
    return result;
}

bool same(const digest& one, const digest& other) { return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0; }

std::vector<token> parse_tokens(const std::string& file, std::string_view text) {
    std::vector<token> all;
    std::vector<conf::problem> problems;
    std::map<digest, std::size_t> lines;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto words = words_of(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (words.empty() || words.front().starts_with('#')) continue;
        const auto refuse = [&](const std::string& why) {
            problems.push_back({file + ":" + std::to_string(line), why});
        };
        if (words.size() != 3) {
            refuse("expected a role, a name and a token, with spaces between them");
            continue;
        }
        if (const auto fault = fault_of(words[0], words[1], words[2]); !fault.empty()) {
            refuse(fault);
            continue;
        }
        all.push_back({*role_named(words[0]), std::string(words[1]), digest_of(words[2])});
        const auto [first, is_new] = lines.emplace(all.back().hash, line);
        if (!is_new) refuse("the same token as in line " + std::to_string(first->second));
    }
    if (problems.empty() && all.empty()) problems.push_back({file, "has no token in it: nobody could use the API"});
    if (all.size() > most_tokens)
        problems.push_back({file, "has more than " + std::to_string(most_tokens) + " tokens in it"});
    if (!problems.empty()) throw conf::invalid(std::move(problems));
    return all;
}

token_file load_tokens(const std::string& file) {
    std::string text;
    try {
        text = conf::read_file(file, largest_file);
    } catch (const conf::unreadable& error) {
        throw conf::invalid(std::vector<conf::problem>{{file, error.what()}});
    }
    struct stat about {};
    const bool known = stat(file.c_str(), &about) == 0;
    return {parse_tokens(file, text), known && (about.st_mode & S_IROTH) != 0};
}

const token* find_token(const std::vector<token>& all, std::string_view text) {
    const auto wanted = digest_of(text);
    const token* found = nullptr;
    for (const auto& one : all) {
        if (same(one.hash, wanted)) found = &one;
    }
    return found;
}

}  // namespace sidecar::api
