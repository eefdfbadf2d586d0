#pragma once
// sidecar/configuration.hpp - the settings that an invocation means.

#include <functional>
#include <string>
#include <vector>

#include "conf/load.hpp"
#include "conf/sources.hpp"
#include "sidecar/command_line.hpp"

namespace sidecar {

/// The file to read: as given; else $OUTBOX_CONFIG; else the first of ./sidecar.yaml and
/// /etc/outbox-sidecar/sidecar.yaml that exists; else "", none.
std::string config_file(const invocation& wanted, const conf::environment& env,
                        const std::function<bool(const std::string&)>& exists);

/// Loads the settings of all sources, whatever --source says, and makes sure that every part of the sidecar can be
/// built from them. Connects to nothing. Throws conf::invalid with all problems.
std::vector<conf::source> load(const invocation& wanted);

}  // namespace sidecar
