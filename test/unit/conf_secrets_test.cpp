#include <doctest/doctest.h>

#include <string>

#include "conf/load.hpp"
#include "conf_testing.hpp"

using conf_testing::load;
using conf_testing::problems;
using conf_testing::scratch_folder;

TEST_CASE("a password is given as it is, or as a file whose last line break does not count") {
    const scratch_folder scratch;
    CHECK(load("database: {password: hunter2}").database.password.value == "hunter2");
    CHECK(load("database: {password: 12345}").database.password.value == "12345");
    const struct {
        std::string content;
        std::string password;
    } cases[] = {{"hunter2", "hunter2"},
                 {"hunter2\n", "hunter2"},
                 {"hunter2\r\n", "hunter2"},
                 {"hunter2\n\n", "hunter2\n"},
                 {" hunter2 \n", " hunter2 "}};
    for (const auto& [content, password] : cases) {
        CAPTURE(content);
        const auto file = scratch.write("password", content);
        const auto s = load("broker: {password_file: \"" + file + "\"}");
        CHECK(s.broker.password.value == password);
        CHECK(s.broker.password_file == file);
        CHECK(load("", {{"OUTBOX_DATABASE_PASSWORD_FILE", file}}).database.password.value == password);
    }
}

TEST_CASE("a password file that can't be used is named with the reason") {
    const scratch_folder scratch;
    CHECK(problems("broker:\n  password_file: /nowhere/pw\n") ==
          "file:2:18: broker.password_file: \"/nowhere/pw\" can't be read: No such file or directory");
    CHECK(problems("broker: {password_file: " + scratch.file("") + "}").find("Is a directory") != std::string::npos);
    CHECK(problems("broker: {password_file: " + scratch.write("empty", "\n") + "}").find("is empty") !=
          std::string::npos);
    CHECK(problems("broker: {password_file: /dev/zero}").find("is larger") != std::string::npos);
}

TEST_CASE("a password given in two ways is refused") {
    const scratch_folder scratch;
    const auto file = scratch.write("password", "hunter2");
    CHECK(problems("database: {password: hunter2, password_file: " + file + "}").find("leave one of them out") !=
          std::string::npos);
    CHECK(problems("database: {password_file: " + file + "}", {{"OUTBOX_DATABASE_PASSWORD", "x"}}) != "");
    CHECK(problems("database: {password: x}", {{"OUTBOX_DATABASE_URL", "mysql://u:y@h/d"}}) ==
          "file:1:22: database.password: the url has a password, too; leave one of them out");
    CHECK(problems("database: {password_file: " + file + "}", {{"OUTBOX_DATABASE_URL", "mysql://u:y@h/d"}}) != "");
}

TEST_CASE("a file can be given up for a password from a stronger source") {
    CHECK(load("database: {password_file: /nowhere}",
               {{"OUTBOX_DATABASE_PASSWORD_FILE", ""}, {"OUTBOX_DATABASE_PASSWORD", "x"}})
              .database.password.value == "x");
}

TEST_CASE("the broker's password serves the urls that have none") {
    CHECK(problems("broker: {password: x}", {{"OUTBOX_BROKER_URLS", "amqp://u:y@a,amqp://u@b"}}) == "");
}

TEST_CASE("no problem repeats a secret") {
    for (const std::string yaml :
         {"database: {password: [hunter2]}", "database: {password: {hunter2: 1}}",
          "database: {password: hunter2, password_file: /x}", "database: {url: 'mysql://u:hunter2@h:x/d'}",
          "database: {url: 'hunter2'}", "database: {url: ['mysql://u:hunter2@h:x/d']}",
          "broker: {urls: 'amqp://u:hunter2@h'}", "broker: {urls: ['http://u:hunter2@h']}",
          "broker: {urls: ['amqp://u:hunter2/@h']}", "broker: {urls: [['amqp://u:hunter2@h']]}",
          "broker: {passwort: hunter2}"}) {
        CAPTURE(yaml);
        const auto found = problems(yaml);
        CHECK(found != "");
        CHECK(found.find("hunter2") == std::string::npos);
    }
    CHECK(problems("", {{"OUTBOX_DATABASE_PASSWROD", "hunter2"}}).find("hunter2") == std::string::npos);
    CHECK(problems("", {{"OUTBOX_BROKER_URLS", "amqp://u:a,hunter2@h"}}).find("hunter2") == std::string::npos);
    CHECK(problems("", {}, {"database.passwrod=hunter2"}).find("hunter2") == std::string::npos);
}

TEST_CASE("certificates must be there, and belong together") {
    const scratch_folder scratch;
    const auto pem = scratch.write("a.pem", "-");
    CHECK(problems("broker: {tls: {ca_file: /nowhere.pem}}") ==
          "file:1:25: broker.tls.ca_file: expected a file that can be read (No such file or directory), found "
          "\"/nowhere.pem\"");
    CHECK(problems("broker: {tls: {ca_file: " + scratch.file("") + "}}").find("a directory") != std::string::npos);
    CHECK(problems("broker: {tls: {cert_file: " + pem + "}}").find("belong together") != std::string::npos);
    CHECK(problems("broker: {tls: {key_file: " + pem + "}}").find("belong together") != std::string::npos);
    CHECK(problems("broker: {tls: {key_file: " + pem + ", cert_file: " + pem + ", verify: false}}") == "");
}

TEST_CASE("certificates for a database without TLS are a mistake that is not made in silence") {
    const scratch_folder scratch;
    const auto pem = scratch.write("a.pem", "-");
    CHECK(problems("database: {tls: {ca_file: " + pem + "}}").find("database.tls.mode: is off") != std::string::npos);
    CHECK(problems("database: {tls: {mode: required, ca_file: " + pem + "}}") == "");
}
