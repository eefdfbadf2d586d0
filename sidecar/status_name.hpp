#pragma once
// sidecar/status_name.hpp - a row's status in a word.

#include <string_view>

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

}  // namespace sidecar
