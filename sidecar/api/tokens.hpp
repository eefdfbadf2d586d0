#pragma once
// sidecar/api/tokens.hpp - the file of those who may use the API: a line for each token, of role, name and token.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/api/exchange.hpp"

namespace sidecar::api {

/// SHA-256. Secrets are kept and compared as digests, which tell nothing by the time that comparing takes.
using digest = std::array<unsigned char, 32>;
digest digest_of(std::string_view text);
bool same(const digest& one, const digest& other);

struct token {
    role as = role::viewer;
    std::string name;
    digest hash{};
};

struct token_file {
    std::vector<token> all;
    bool world_readable = false;
};

inline constexpr std::size_t shortest_token = 16;  // characters
inline constexpr std::size_t most_tokens = 1'000;

/// `text` as the file has it: "operator alice 8f14e45f…" a line, "#" before a comment. Throws conf::invalid with every
/// problem of it and its place, `file`:line. Never names a token.
std::vector<token> parse_tokens(const std::string& file, std::string_view text);

/// Likewise, of the file itself.
token_file load_tokens(const std::string& file);

/// The token with this text; compares it with all of them. nullptr: there is none.
const token* find_token(const std::vector<token>& all, std::string_view text);

}  // namespace sidecar::api
