#include "conf/address.hpp"

#include <doctest/doctest.h>

#include "conf/load.hpp"
#include "conf_testing.hpp"

TEST_CASE("an address to listen on is an IP address and a port") {
    CHECK(conf::parse_address("127.0.0.1:9464") == conf::address{"127.0.0.1", 9464});
    CHECK(conf::parse_address("[::1]:0") == conf::address{"::1", 0});
    CHECK(conf::to_text({"127.0.0.1", 65535}) == "127.0.0.1:65535");
    CHECK(conf::to_text({"::", 1}) == "[::]:1");
    for (const char* wrong : {"",
                              ":",
                              ":9464",
                              "9464",
                              "localhost:9464",
                              "127.0.0.1",
                              "127.0.0.1:",
                              "127.0.0.1:65536",
                              "127.0.0.1:-1",
                              "127.0.0.1:+1",
                              "127.0.0.1: 1",
                              " 127.0.0.1:1",
                              "127.0.0.1:1 ",
                              "::1:9464",
                              "[::1]",
                              "[127.0.0.1]:1",
                              "[]:1",
                              "300.0.0.1:1",
                              "127.1:1",
                              "1.2.3.4:1:2"}) {
        CAPTURE(wrong);
        CHECK_FALSE(conf::parse_address(wrong));
    }
}

TEST_CASE("a wrong address is refused with its place") {
    try {
        conf::load_text(
            "database: {url: \"mysql://u@h/d\"}\nbroker: {urls: [\"amqp://h\"]}\nhttp:\n  metrics: \":9464\"\n",
            "x.yaml", {}, {});
        FAIL("taken");
    } catch (const conf::invalid& error) {
        REQUIRE(error.problems().size() == 1);
        CHECK(error.problems()[0].where == "x.yaml:4:12");
        CHECK(error.problems()[0].what.find("127.0.0.1:9464") != std::string::npos);
    }
}
