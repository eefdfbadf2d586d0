#include "relay/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>

namespace relay {

std::string sha256_of(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    // Of a digest that is built in, only memory can run out.
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();

    std::string text = "sha256:";
    for (unsigned int at = 0; at < size; ++at) {
        text += "0123456789abcdef"[digest[at] >> 4];
        text += "0123456789abcdef"[digest[at] & 15];
    }
    return text;
}

}  // namespace relay
