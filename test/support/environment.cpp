#include "test/support/environment.hpp"

#include <cstdlib>
#include <stdexcept>

namespace support {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0')
        throw std::runtime_error(std::string(name) + " is not set: run the tests with `test/run integration`");
    return value;
}

std::vector<std::string> missing_variables() {
    std::vector<std::string> missing;
    for (const char* name :
         {"OUTBOX_TEST_SERVERS_DIR", "OUTBOX_TEST_TLS_DIR", "OUTBOX_TEST_MYSQL_URL", "OUTBOX_TEST_MYSQL_ROOT_PASSWORD",
          "OUTBOX_TEST_POSTGRESQL_URL", "OUTBOX_TEST_POSTGRESQL_ROOT_PASSWORD", "OUTBOX_TEST_AMQP_URL",
          "OUTBOX_TEST_AMQPS_URL", "OUTBOX_TEST_CTL"}) {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0') missing.emplace_back(name);
    }
    return missing;
}

std::string amqp_url() { return variable("OUTBOX_TEST_AMQP_URL"); }

std::string amqps_url() { return variable("OUTBOX_TEST_AMQPS_URL"); }

std::string tls_file(const std::string& name) { return variable("OUTBOX_TEST_TLS_DIR") + "/" + name; }

}  // namespace support
