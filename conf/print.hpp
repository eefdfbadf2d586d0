#pragma once
// conf/print.hpp - the effective configuration for people's eyes: passwords are shown as ***, also those inside urls.

#include <string>

#include "conf/settings.hpp"
#include "conf/sources.hpp"

namespace conf {

/// As YAML that `load` accepts and that yields the same settings, apart from the passwords. Ends with a line break.
std::string print_yaml(const settings& s);

/// The same as JSON, indented by two. Durations and sizes are texts as in YAML. Ends with a line break.
std::string print_json(const settings& s);

// Several, or one with a name: the list `sources`, each of them whole, and what the process has once.
std::string print_yaml(const std::vector<source>& all);
std::string print_json(const std::vector<source>& all);

}  // namespace conf
