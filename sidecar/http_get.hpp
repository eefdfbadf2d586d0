#pragma once
// sidecar/http_get.hpp - one GET over plain HTTP, for asking a sidecar how it is.

#include <chrono>
#include <stdexcept>
#include <string>

#include "conf/url.hpp"

namespace sidecar {

struct http_reply {
    unsigned status = 0;
    std::string body;
};

/// There was no answer.
class http_silent : public std::runtime_error {
    using runtime_error::runtime_error;
};

/// Follows no redirect; a body over 1 MiB is no answer. Throws http_silent, at the latest after `at_most`.
http_reply http_get(const conf::url& what, std::chrono::milliseconds at_most);

}  // namespace sidecar
