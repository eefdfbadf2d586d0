// Whatever stands in a pattern and a name, comparing them ends soon, and a name that is its own pattern fits.

#include "relay/glob.hpp"
#include "test/fuzz/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::bytes in(data, size);
    const auto pattern = in.part();
    const auto text = in.rest();
    (void)relay::matches(pattern, text);
    fuzz::require(relay::matches("*", text));
    fuzz::require(relay::matches(text, text));
    return 0;
}
