#pragma once
// relay/utf8.hpp - outbox/utf8.hpp, by the relay's own names.

#include "outbox/utf8.hpp"

namespace relay {

using outbox::first_character;
using outbox::is_utf8;

}  // namespace relay
