#pragma once
// sidecar/status_name.hpp - a row's status in a word.

#include <optional>
#include <string_view>

#include "outbox/message.hpp"

namespace sidecar {

constexpr std::string_view status_name(int status) {
    switch (status) {
        case 0: return "delivering";
        case 1: return "delivered";
        case 2: return "failed";
        case 3: return "consumed";
        default: return "unknown";
    }
}

/// Of what is purged; nullopt: entries of the ledger of failures.
constexpr std::string_view purged_name(const std::optional<outbox::status>& status) {
    return status ? status_name(static_cast<int>(*status)) : "ledger";
}

}  // namespace sidecar
