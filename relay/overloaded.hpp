#pragma once
// relay/overloaded.hpp - one function object out of several, for std::visit.

namespace relay {

template <class... Each>
struct overloaded : Each... {
    using Each::operator()...;
};
// Clang does without one only from 17 on.
template <class... Each>
overloaded(Each...) -> overloaded<Each...>;

}  // namespace relay
