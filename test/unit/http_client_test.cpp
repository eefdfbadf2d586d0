#include "sidecar/http_client.hpp"

#include <doctest/doctest.h>

#include <utility>
// Boost.Asio 1.74 needs <utility> to come first.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <thread>

#include "sidecar/base64.hpp"
#include "sidecar/http_address.hpp"
#include "test/support/certificate.hpp"
#include "test/support/http_receiver.hpp"

using namespace std::chrono_literals;
using sidecar::http_client;
using sidecar::http_error;
using sidecar::http_request;
using std::chrono::steady_clock;
using support::answer_of;
using support::http_receiver;

namespace {

std::string said_by(http_client& client, const http_request& what) {
    try {
        return std::to_string(client.call(what).status);
    } catch (const http_error& error) {
        return error.what();
    }
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

const auto fine = [](const auto&) { return answer_of(200, "fine"); };
const auto hanging = [](const auto&) { return std::string(); };

}  // namespace

TEST_SUITE("http client") {
    TEST_CASE("a POST arrives as it was written, and its answer comes back") {
        http_receiver there([](const auto&) { return answer_of(202, "taken", "X-Thing: 1\r\nRetry-After: 7\r\n"); });
        http_client client({});
        const std::string body("a\0b\xff", 4);
        const auto reply =
            client.call({"POST", there.url("/a%2Fb/%C3%A4?q=%20x"), {{"content-type", "text/x"}, {"x-id", "7"}}, body});
        CHECK(reply.status == 202);
        CHECK(reply.body == "taken");
        CHECK_FALSE(reply.cut);
        CHECK(reply.header("x-thing") == "1");
        CHECK(reply.header("RETRY-AFTER") == "7");
        CHECK_FALSE(reply.header("location"));

        REQUIRE(there.received().size() == 1);
        const auto one = there.received().front();
        CHECK(one.method == "POST");
        CHECK(one.target == "/a%2Fb/%C3%A4?q=%20x");
        CHECK(one.body == body);
        CHECK(one.fields.at("content-length") == "4");
        CHECK(one.fields.at("content-type") == "text/x");
        CHECK(one.fields.at("x-id") == "7");
        CHECK(one.fields.at("host") == "127.0.0.1:" + std::to_string(there.port()));
        CHECK(contains(one.fields.at("user-agent"), "outbox-sidecar/"));
        CHECK(one.fields.count("authorization") == 0);
    }

    TEST_CASE("user and password of the url are Basic authorization, unless a header says otherwise") {
        http_receiver there(fine);
        http_client client({});
        const auto with_user = "http://u%20s:p%3Aw@127.0.0.1:" + std::to_string(there.port());
        client.call({.url = with_user});
        client.call({.url = with_user, .headers = {{"Authorization", "Bearer x"}}});
        const auto all = there.received();
        CHECK(all.at(0).target == "/");
        CHECK(all.at(0).fields.at("authorization") == "Basic " + sidecar::base64("u s:p:w"));
        CHECK(all.at(1).fields.at("authorization") == "Bearer x");
    }

    TEST_CASE("a redirect is an answer, and is not followed") {
        http_receiver elsewhere(fine);
        http_receiver there([&](const auto&) { return answer_of(302, "", "Location: " + elsewhere.url() + "\r\n"); });
        http_client client({});
        CHECK(client.call({.url = there.url()}).status == 302);
        CHECK(elsewhere.connections() == 0);
    }

    TEST_CASE("an informational answer is passed over") {
        http_receiver there([](const auto&) { return "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer_of(204); });
        http_client client({});
        CHECK(client.call({.url = there.url()}).status == 204);
    }

    TEST_CASE("of an answer that is too large its status is known, and a beginning at most is kept") {
        http_client client({.body_limit = 10});
        http_receiver told([](const auto&) { return answer_of(200, std::string(11, 'x')); });
        http_receiver endless(
            [](const auto&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(100'000, 'x'); });
        http_receiver exact([](const auto&) { return answer_of(200, std::string(10, 'x')); });
        for (const auto* one : {&told, &endless}) {
            const auto reply = client.call({.url = one->url()});
            CHECK(reply.status == 200);
            CHECK(reply.cut);
            CHECK(reply.body.size() <= 10);
        }
        CHECK(client.call({.url = exact.url()}).body == std::string(10, 'x'));
        http_receiver heads(
            [](const auto&) { return answer_of(200, "", "X: " + std::string(17 * 1024, 'x') + "\r\n"); });
        CHECK_THROWS_AS(client.call({.url = heads.url()}), http_error);
    }

    TEST_CASE("an answer that breaks off is none") {
        http_client client({});
        http_receiver half([](const auto&) { return std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"); });
        http_receiver garbage([](const auto&) { return std::string("SSH-2.0-OpenSSH_9.2\r\n"); });
        CHECK_THROWS_AS(client.call({.url = half.url()}), http_error);
        CHECK_THROWS_AS(client.call({.url = garbage.url()}), http_error);
    }

    TEST_CASE("one deadline is for all of it, whatever the other side does") {
        http_client client({.timeout = 300ms});
        http_receiver silent(hanging);
        boost::asio::io_context io;
        boost::asio::ip::tcp::acceptor deaf(io, {boost::asio::ip::make_address("127.0.0.1"), 0});  // never looks
        const auto https = "https://127.0.0.1:" + std::to_string(deaf.local_endpoint().port());
        for (const auto& url : {silent.url(), https}) {
            const auto began = steady_clock::now();
            const auto why = said_by(client, {.url = url});
            CAPTURE(why);
            CHECK(contains(why, "within its time"));
            CHECK(steady_clock::now() - began >= 300ms);
            CHECK(steady_clock::now() - began < 2s);
        }
    }

    TEST_CASE("stop() ends a call that is under way, and all later ones") {
        http_client client({.timeout = 60s});
        http_receiver silent(hanging);
        auto said = std::async(std::launch::async, [&] { return said_by(client, {.url = silent.url()}); });
        while (silent.received().empty()) std::this_thread::yield();
        const auto began = steady_clock::now();
        client.stop();
        CHECK(said.get() == "stopped");
        CHECK(said_by(client, {.url = silent.url()}) == "stopped");
        CHECK(steady_clock::now() - began < 5s);
    }

    TEST_CASE("who is not there is named by address, never by url") {
        std::uint16_t nobody = 0;
        { nobody = http_receiver(fine).port(); }
        http_client client({});
        const auto why =
            said_by(client, {.url = "http://user:hunter2@127.0.0.1:" + std::to_string(nobody) + "/secret?token=x"});
        CHECK(contains(why, "127.0.0.1: Connection refused"));
        for (const auto* part : {"hunter2", "user", "secret", "token"}) CHECK_FALSE(contains(why, part));
        CHECK(contains(said_by(client, {.url = "http://no-such-host.invalid/"}), "no address"));
    }

    TEST_CASE("addresses are asked about before anything is sent, and a name's others are tried") {
        http_receiver there(fine);
        const auto port = std::to_string(there.port());
        std::vector<std::string> asked;
        http_client closed({.refuse = [&](const std::string& ip) {
            asked.push_back(ip);
            return sidecar::why_local(ip);
        }});
        for (const std::string host :
             {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "[::1]"}) {
            CAPTURE(host);
            std::string why;
            try {
                why = said_by(closed, {.url = "http://" + host + ":" + port});
            } catch (const std::invalid_argument&) {
                why = "a loopback address";
            }
            CHECK(contains(why, "a loopback address"));
        }
        CHECK(there.connections() == 0);
        CHECK(asked.front() == "127.0.0.1");

        http_client open({.refuse = [](const std::string& ip) { return ip == "::1" ? "not that" : ""; }});
        CHECK(open.call({.url = "http://localhost:" + port}).status == 200);
    }

    TEST_CASE("what would break out of a header is not sent") {
        http_receiver there(fine);
        http_client client({});
        using fields = std::vector<std::pair<std::string, std::string>>;
        for (const auto& bad :
             {fields{{"x", "a\r\nb: c"}}, fields{{"x\n", "a"}}, fields{{"x y", "a"}}, fields{{"", "a"}}})
            CHECK_THROWS_AS(client.call({.url = there.url(), .headers = bad}), std::invalid_argument);
        CHECK_THROWS_AS(client.call({.url = "ftp://h/"}), std::invalid_argument);
        CHECK(there.connections() == 0);
    }

    TEST_CASE("TLS: a certificate has to be trusted, and to bear the host's name") {
        const auto certificate = support::make_certificate("DNS:localhost,IP:127.0.0.1");
        const support::temporary_file authority(certificate.cert);
        http_receiver there(fine, certificate);
        const auto named = "https://localhost:" + std::to_string(there.port());

        http_client trusting({.tls = {.ca_file = authority.path(), .cert_file = {}, .key_file = {}}});
        CHECK(trusting.call({.url = named}).body == "fine");
        CHECK(there.received().back().server_name == "localhost");
        CHECK_FALSE(there.received().back().with_certificate);
        CHECK(trusting.call({.url = there.url()}).status == 200);  // by its address
        CHECK(there.received().back().server_name.empty());

        http_client by_system({});
        CHECK(contains(said_by(by_system, {.url = named}), "not to be trusted"));

        const auto other = support::make_certificate("DNS:other.example,IP:192.0.2.1");
        const support::temporary_file other_authority(other.cert);
        http_receiver elsewhere(fine, other);
        http_client strict({.tls = {.ca_file = other_authority.path(), .cert_file = {}, .key_file = {}}});
        for (const std::string host : {"localhost", "127.0.0.1"})
            CHECK(contains(said_by(strict, {.url = "https://" + host + ":" + std::to_string(elsewhere.port())}),
                           "not to be trusted"));
        CHECK(elsewhere.received().empty());

        http_client anything({.tls = {.ca_file = {}, .cert_file = {}, .key_file = {}, .verify = false}});
        CHECK(anything.call({.url = elsewhere.url()}).status == 200);
    }

    TEST_CASE("TLS: a client certificate is shown") {
        const auto certificate = support::make_certificate("IP:127.0.0.1");
        const support::temporary_file cert(certificate.cert), key(certificate.key);
        http_receiver there(fine, certificate);
        http_client client({.tls = {.ca_file = cert.path(), .cert_file = cert.path(), .key_file = key.path()}});
        CHECK(client.call({.url = there.url()}).status == 200);
        CHECK(there.received().back().with_certificate);
        CHECK_THROWS_AS(http_client({.tls = {.ca_file = key.path(), .cert_file = {}, .key_file = {}}}),
                        std::invalid_argument);
    }

    TEST_CASE("addresses that are not out on the internet") {
        for (const std::string ip : {"127.0.0.1",
                                     "127.255.255.255",
                                     "0.0.0.0",
                                     "10.1.2.3",
                                     "172.16.0.1",
                                     "172.31.255.255",
                                     "192.168.0.1",
                                     "100.64.0.1",
                                     "100.127.255.255",
                                     "169.254.169.254",
                                     "224.0.0.1",
                                     "255.255.255.255",
                                     "240.0.0.1",
                                     "192.0.0.170",
                                     "198.18.0.1",
                                     "::",
                                     "::1",
                                     "fe80::1",
                                     "febf::1",
                                     "fec0::1",
                                     "fc00::1",
                                     "fd12::1",
                                     "ff02::1",
                                     "::ffff:127.0.0.1",
                                     "::ffff:10.0.0.1",
                                     "::ffff:169.254.169.254",
                                     "::127.0.0.1",
                                     "64:ff9b::7f00:1",
                                     "64:ff9b::a9fe:a9fe",
                                     "64:ff9b:1::1",
                                     "2002:7f00:1::",
                                     "2002:a00:1::1",
                                     "2001::1",
                                     "fd00:ec2::254",
                                     "not an address",
                                     ""}) {
            CAPTURE(ip);
            CHECK_FALSE(sidecar::why_local(ip).empty());
        }
        for (const std::string ip :
             {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
              "169.253.0.1", "169.255.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.1",
              "223.255.255.255", "2606:4700::1111", "2a00::1", "::ffff:1.1.1.1", "64:ff9b::101:101",
              "2002:101:101::1"}) {
            CAPTURE(ip);
            CHECK(sidecar::why_local(ip).empty());
        }
    }

    TEST_CASE("base64 there and back") {
        for (const std::string bytes : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
            CHECK(sidecar::from_base64(sidecar::base64(bytes)) == bytes);
        CHECK(sidecar::base64("fooba") == "Zm9vYmE=");
        CHECK(sidecar::from_base64("Zm9vYg") == "foob");
        const std::string all("\0\xff\x10", 3);
        CHECK(sidecar::from_base64(sidecar::base64(all)) == all);
        for (const std::string bad : {"Z", "Zm9v=a", "Zm 9v", "Zm9v\n", "====", "Zm-_"}) {
            CAPTURE(bad);
            CHECK_FALSE(sidecar::from_base64(bad));
        }
    }
}
