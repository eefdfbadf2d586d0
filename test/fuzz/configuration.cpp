// Whatever a configuration file holds: it is loaded, or refused with reasons, and neither shows the password.

#include "conf/print.hpp"
#include "conf/sources.hpp"
#include "test/fuzz/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string password = "Pa55-that-nobody-guesses";
    fuzz::bytes in(data, size);
    const auto text = in.part();
    const std::string setting(in.rest());
    const auto names = [&](std::string_view what) {
        return text.find(what) != text.npos || setting.find(what) != setting.npos;
    };
    // Files are not read here: their names could be those of devices.
    if (names("_file") || names(password)) return 0;
    std::vector<std::string> overrides = {"broker.password=" + password, "database.password=" + password};
    if (!setting.empty()) overrides.push_back(setting);
    const auto is_silent = [&](const std::string& said) { return said.find(password) == said.npos; };
    try {
        const auto sources = conf::load_sources_text(text, "fuzz.yaml", {}, overrides);
        fuzz::require(is_silent(conf::print_json(sources)) && is_silent(conf::print_yaml(sources)));
    } catch (const conf::invalid& error) {
        fuzz::require(!error.problems().empty() && is_silent(error.what()));
    }
    return 0;
}
