#pragma once
// sidecar/send_again.hpp - messages straight to the broker, for an operator who waits for them.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "conf/settings.hpp"
#include "outbox/ledger.hpp"

namespace sidecar {

/// Connects when it has something to send, and stays connected. One thread.
class sender_again {
  public:
    /// `go_on` is asked several times a second while it waits: false ends the waiting.
    explicit sender_again(
        const conf::settings& settings, std::function<bool()> go_on = [] { return true; });
    ~sender_again();

    /// Publishes what was filed to where it came from, without the headers that tell of its deaths, and waits for the
    /// broker's word. Nullopt: confirmed and routed. Otherwise why not, or that it is not known. Blocks for some
    /// seconds; once no broker could be reached, all that follow are refused at once.
    std::optional<std::string> send(const outbox::consumer_failure& one);

    /// Why no broker could be reached; empty until then.
    const std::string& away() const;

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace sidecar
