#pragma once
// test/support/environment.hpp - where the servers are that the tests may use, and break: the variables that
// `deploy/lib/private-servers env` prints.

#include <string>
#include <vector>

namespace support {

/// Throws std::runtime_error when it is not set.
std::string variable(const char* name);

/// Those that are needed and not set.
std::vector<std::string> missing_variables();

std::string amqp_url();
std::string amqps_url();
/// A file of the test authority: "ca.pem", "other-ca.pem", "client-cert.pem" …
std::string tls_file(const std::string& name);

}  // namespace support
