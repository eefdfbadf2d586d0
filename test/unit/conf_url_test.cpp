#include "conf/url.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "conf/units.hpp"

using conf::masked;
using conf::parse_url;

TEST_CASE("a url is taken apart") {
    const auto u = parse_url("mysql://shop:s3cret@db.example.com:3307/orders");
    CHECK(u.scheme == "mysql");
    CHECK(u.user == "shop");
    CHECK(u.password == "s3cret");
    CHECK(u.host == "db.example.com");
    CHECK(u.port == 3307);
    CHECK(u.path == "/orders");
    CHECK(u.database() == "orders");
    CHECK(u.query.empty());
}

TEST_CASE("a url without a port has its scheme's") {
    CHECK(parse_url("mysql://h/d").port == 3306);
    CHECK(parse_url("mariadb://h/d").port == 3306);
    CHECK(parse_url("postgresql://h/d").port == 5432);
    CHECK(parse_url("amqp://h").port == 5672);
    CHECK(parse_url("AMQPS://h").port == 5671);
    CHECK(parse_url("AMQPS://h").scheme == "amqps");
    CHECK(parse_url("sqlite:///d").port == 0);
}

TEST_CASE("no password is another thing than an empty one") {
    CHECK_FALSE(parse_url("amqp://u@h").password.has_value());
    CHECK(parse_url("amqp://u:@h").password == "");
    CHECK_FALSE(parse_url("amqp://h").password.has_value());
    CHECK(parse_url("amqp://h").user.empty());
}

TEST_CASE("user, password and path are percent-decoded") {
    const auto u = parse_url("amqp://us%40er:p%3a%2F%25@h/%2Fa%20b");
    CHECK(u.user == "us@er");
    CHECK(u.password == "p:/%");
    CHECK(u.vhost() == "/a b");
}

TEST_CASE("a colon in the password needs no percent sign") { CHECK(parse_url("amqp://u:a:b@h").password == "a:b"); }

TEST_CASE("an amqp url without a virtual host, or with a lone slash, means the default one") {
    CHECK(parse_url("amqp://h").vhost() == "/");
    CHECK(parse_url("amqp://h/").vhost() == "/");
    CHECK(parse_url("amqp://h/%2f").vhost() == "/");
    CHECK(parse_url("amqp://h/orders").vhost() == "orders");
    CHECK(parse_url("amqp://h/a%2fb").vhost() == "a/b");
}

TEST_CASE("an IPv6 address stands in brackets") {
    const auto u = parse_url("amqp://u:p@[2001:db8::1]:5673/v");
    CHECK(u.host == "2001:db8::1");
    CHECK(u.port == 5673);
    CHECK(parse_url("mysql://[::1]/d").port == 3306);
}

TEST_CASE("urls of schemes unknown here are taken apart all the same") {
    const auto file = parse_url("sqlite:///var/lib/outbox.db");
    CHECK(file.host.empty());
    CHECK(file.path == "/var/lib/outbox.db");
    const auto pg = parse_url("postgresql://u:p@h/d?sslmode=require");
    CHECK(pg.database() == "d");
    CHECK(pg.query == "sslmode=require");
}

TEST_CASE("urls of HTTP have their ports, and keep path and query as they were written") {
    CHECK(parse_url("http://h").port == 80);
    CHECK(parse_url("https://h").port == 443);
    CHECK(parse_url("https://h:8443/").port == 8443);
    CHECK(parse_url("http://h").target == "/");
    CHECK(parse_url("http://h?a=1").target == "/?a=1");
    CHECK(parse_url("http://h/?").target == "/?");
    const auto written = parse_url("https://u:p%40@h/a%2Fb/%C3%A4?q=%20x&y=/?");
    CHECK(written.target == "/a%2Fb/%C3%A4?q=%20x&y=/?");
    CHECK(written.path == "/a/b/\xC3\xA4");
    CHECK(written.password == "p@");
    CHECK_THROWS_WITH_AS(parse_url("http:///x"), doctest::Contains("no host"), conf::wrong_value);
}

TEST_CASE("a faulty url is refused with its fault") {
    const struct {
        std::string text;
        std::string fault;
    } cases[] = {
        {"", "no scheme"},
        {"localhost", "no scheme"},
        {"mysql:localhost/d", "no scheme"},
        {"://h/d", "no scheme"},
        {"my_sql://h/d", "scheme"},
        {"mysql:///d", "no host"},
        {"amqp://", "no host"},
        {"amqp://u@", "no host"},
        {"amqp://:5672", "no host"},
        {"amqp://h:", "no port"},
        {"amqp://h:0", "no port"},
        {"amqp://h:65536", "no port"},
        {"amqp://h:-1", "no port"},
        {"amqp://h:56a", "no port"},
        {"amqp://::1", "no host"},
        {"amqp://2001:db8::1/v", "no port"},
        {"amqp://[::1", "no ]"},
        {"amqp://[::1]x", "no port"},
        {"amqp://[host]", "no IPv6"},
        {"amqp://[]", "no IPv6"},
        {"mysql://h1,h2/d", "characters that no host has"},
        {"amqp://a@b@h", "more than one @"},
        {"amqp://u:50%@h", "%25"},
        {"amqp://u:%4@h", "%25"},
        {"amqp://h/%zz", "%25"},
        {"amqp://h/%00", "%00"},
        {"amqp://h/a/b", "%2F"},
        {"amqp://u:a#b@h", "%23"},
        {"amqp://u:a b@h", "space"},
        {"amqp://h\n", "control"},
        {" amqp://h", "space"},
    };
    for (const auto& [text, fault] : cases) {
        CAPTURE(text);
        CHECK_THROWS_WITH_AS(parse_url(text), doctest::Contains(fault.c_str()), conf::wrong_value);
    }
}

TEST_CASE("no fault repeats a password, however badly it is written") {
    const std::string secret = "hunter2";
    for (const std::string text :
         {"mysql://u:hunter2@h:x/d", "mysql://u:hunter2%@h/d", "mysql://u:a/hunter2@h/d", "mysql://u:hunter2/a@h/d",
          "mysql://u:hunter2?@h/d", "mysql://u:hunter2#@h/d", "mysql://u:a@hunter2@h/d", "u:hunter2@h/d",
          "mysql:u:hunter2@h/d", "hunter2", "mysql://hunter2:x", "mysql://u: hunter2@h", "mysql://[hunter2"}) {
        CAPTURE(text);
        try {
            parse_url(text);
            FAIL("was accepted");
        } catch (const conf::wrong_value& e) {
            CHECK(std::string{e.what()}.find(secret) == std::string::npos);
        }
    }
}

TEST_CASE("a masked url shows all but the password") {
    CHECK(masked("mysql://shop:s3cret@db:3307/orders") == "mysql://shop:***@db:3307/orders");
    CHECK(masked("amqp://shop@mq/v") == "amqp://shop@mq/v");
    CHECK(masked("amqp://mq:5672/v") == "amqp://mq:5672/v");
    CHECK(masked("amqp://:s3cret@mq") == "amqp://:***@mq");
    CHECK(masked("postgresql://u@h/d?password=s3cret") == "postgresql://u@h/d?***");
    CHECK(masked("") == "");
}

TEST_CASE("a masked url hides the password of a url that can't be parsed, too") {
    for (const std::string text :
         {"mysql://u:a/hunter2@h/d", "mysql://u:hunter2/a@h/d", "mysql://u:hunter2?x@h/d", "mysql://u:x?hunter2@h/d",
          "mysql://u:hunter2#@h/d", "mysql://u:a@hunter2@h/d", "u:hunter2@h/d", "hunter2@h", "mysql://h/d?p=hunter2",
          "mysql://h/d?p=hunter2@x", "mysql://h/d#hunter2"}) {
        CAPTURE(text);
        CHECK(masked(text).find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a masked url is still a url for the same place") {
    const auto before = parse_url("amqps://us%40er:p%2Fw@[::1]:99/%2Fv");
    const auto after = parse_url(masked("amqps://us%40er:p%2Fw@[::1]:99/%2Fv"));
    CHECK(after.user == before.user);
    CHECK(after.password == "***");
    CHECK(after.host == before.host);
    CHECK(after.port == before.port);
    CHECK(after.path == before.path);
}

TEST_CASE("any text at all is parsed or refused") {
    std::mt19937 random{19};
    const std::string letters = "amqp:/@[]%?#0159 afhz\n\t\\.-_\xff\xc3";
    int parsed = 0;
    for (int i = 0; i < 50'000; ++i) {
        std::string text = i % 2 == 0 ? "amqp://" : "";
        for (auto n = random() % 20; n > 0; --n) text += letters[random() % letters.size()];
        try {
            const auto u = parse_url(text);
            CHECK_FALSE(u.vhost().empty());
            ++parsed;
        } catch (const conf::wrong_value&) {
        }
        masked(text);
    }
    CHECK(parsed > 100);
}
