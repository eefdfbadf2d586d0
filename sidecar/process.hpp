#pragma once
// sidecar/process.hpp - the running sidecar: its sources, each relayed by one service after another, and the signals
// that end them.
//
//   SIGTERM, SIGINT   drain and end; a second one gives up what is in flight and ends at once
//   SIGHUP            read the configuration again. A bad one changes nothing. A change of the sections log and http
//                     applies at once; for any other, the service drains and a new one starts with the new settings:
//                     those of the sources that have changed. A source that is gone drains, and a new one starts
//
// systemd, if it is what started the process, is told of each of these (sidecar/service_manager.hpp).

#include <functional>
#include <vector>

#include "conf/sources.hpp"
#include "sidecar/log.hpp"

namespace sidecar {

/// What SIGHUP brings; throws conf::invalid.
using reload_sources = std::function<std::vector<conf::source>()>;

/// Relays until it is told to stop, or `until_empty`: until nothing is left to deliver (relay/emptiness.hpp) in any of
/// the sources. Returns the exit code: 0, or 1 when the stop was cut short by a second signal, or when it was told to
/// stop before that. Blocks, and takes over the process's signals. Throws what the service's constructor throws.
int run_process(const std::vector<conf::source>& sources, bool until_empty, const reload_sources& reload, log& out);

}  // namespace sidecar
