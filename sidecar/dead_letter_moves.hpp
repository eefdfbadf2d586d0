#pragma once
// sidecar/dead_letter_moves.hpp - redriving a dead-letter queue by hand, whoever asks for it.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "conf/settings.hpp"
#include "relay/letter_mover.hpp"

namespace sidecar {

/// As the configuration has it for this queue by name, or else by the first pattern that means it; or the defaults.
conf::dead_letters dead_letters_of(const conf::settings& settings, const std::string& queue);

/// The first broker that answers. Throws relay::amqp::connection_lost, with what the last one said.
std::unique_ptr<relay::amqp::letter_box> connect_for_letters(const conf::broker& settings);

/// What would go where.
struct moves_preview {
    std::map<std::pair<std::string, std::string>, std::uint64_t> by_destination;  // exchange and key
    std::uint64_t homeless = 0;
    std::uint64_t looked_at = 0;
};

/// Of at most 10,000. What is fetched for it goes back when the connection ends.
moves_preview preview_moves(relay::amqp::letter_box& box, const relay::letter_mover& mover, const std::string& queue,
                            std::uint64_t most);

nlohmann::ordered_json preview_json(const moves_preview& found, const std::string& queue);

struct moves_report {
    std::uint64_t redriven = 0;
    std::uint64_t refused = 0;
    std::string reason;    // why one was refused
    bool complete = true;  // false: it was stopped before its end
};

/// Moves `most` messages, `rate` a second. `pause` waits between steps, and returns false to stop; `go_on` as
/// letter_mover::step has it. Throws relay::amqp::connection_lost; `into` then says what had been done.
void move_letters(relay::amqp::letter_box& box, const relay::letter_mover& mover, std::uint64_t most,
                  std::uint32_t rate, const std::function<bool(std::chrono::milliseconds)>& pause,
                  const std::function<bool()>& go_on, const std::function<void(const moves_report&)>& progress,
                  moves_report& into);

}  // namespace sidecar
