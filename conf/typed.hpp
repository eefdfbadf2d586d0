#pragma once
// conf/typed.hpp - YAML values whose type is not known beforehand, as JSON.

#include <nlohmann/json_fwd.hpp>

#include "conf/yaml.hpp"

namespace conf {

/// As YAML 1.2's core schema has it: true and false, integers and decimals are typed, all other plain text and whatever
/// is quoted is a string; lists and maps keep their shape. Throws wrong_value for an integer beyond 64 bits (which is
/// all that an AMQP table holds) and for a key that occurs twice.
nlohmann::json to_json(const node& value);

/// The same for one plain scalar. "007" and "1e400" are strings, as they lose something as numbers.
nlohmann::json plain_to_json(const std::string& text);

}  // namespace conf
