#pragma once
// sidecar/process.hpp - the running sidecar: one service after another, and the signals that end them.
//
//   SIGTERM, SIGINT   drain and end; a second one gives up what is in flight and ends at once
//   SIGHUP            read the configuration again. A bad one changes nothing. A change of the sections log and http
//                     applies at once; for any other, the service drains and a new one starts with the new settings
//
// systemd, if it is what started the process, is told of each of these (sidecar/service_manager.hpp).

#include <functional>

#include "conf/settings.hpp"
#include "sidecar/log.hpp"

namespace sidecar {

/// Relays until it is told to stop, or `until_empty`: until nothing is left to deliver (relay/emptiness.hpp). Returns
/// the exit code: 0, or 1 when the stop was cut short by a second signal, or when it was told to stop before that.
/// `reload` gives the settings for SIGHUP; it throws conf::invalid.
/// Blocks, and takes over the process's signals. Throws what the service's constructor throws.
int run_process(const conf::settings& settings, bool until_empty, const std::function<conf::settings()>& reload,
                log& out);

}  // namespace sidecar
