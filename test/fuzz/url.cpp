// Whatever is given as an url: it is taken or refused, and what is shown of it has no password in it.

#include "conf/url.hpp"

#include <stdexcept>

#include "test/fuzz/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto shown = conf::masked(text);
    try {
        const auto url = conf::parse_url(text);
        (void)url.database();
        (void)url.vhost();
        // Short ones may be part of something else.
        if (!url.password || url.password->size() < 6) return 0;
        // The end of the user and the mask behind it may read as the password does, by chance.
        if (url.password->find('*') != std::string::npos) return 0;
        const auto at = text.find(*url.password);
        if (at == text.npos || text.find(*url.password, at + 1) != text.npos) return 0;
        fuzz::require(shown.find(*url.password) == shown.npos);
    } catch (const std::invalid_argument&) {
    }
    return 0;
}
