#pragma once
// sidecar/exit_code.hpp - what the process ends with. The larger numbers are those of sysexits.h.

namespace sidecar {

namespace exit_code {
inline constexpr int success = 0;
// doctor found problems; the database refused; a stop was cut short, or came before the table was empty; not all
// changed
inline constexpr int failed = 1;
inline constexpr int usage = 64;          // the command line can't be understood
inline constexpr int unavailable = 69;    // the database or the broker can't be reached; an address is in use
inline constexpr int internal = 70;       // anything that nobody foresaw
inline constexpr int configuration = 78;  // the settings can't be used
}  // namespace exit_code

}  // namespace sidecar
