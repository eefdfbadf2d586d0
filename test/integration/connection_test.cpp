// Ways to the broker: several addresses, TLS, and the topology that is declared after each connect.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/url.hpp"
#include "test/support/control.hpp"
#include "test/support/environment.hpp"
#include "test/support/relaying.hpp"

using support::eventually;

namespace {

/// A port that is taken, by somebody who does not listen there.
class closed_port {
  public:
    closed_port() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(socket_, any, size) == 0);
        REQUIRE(::getsockname(socket_, any, &size) == 0);
        url_ = fmt::format("amqp://guest:guest@127.0.0.1:{}/", ntohs(address.sin_port));
    }
    ~closed_port() { ::close(socket_); }
    closed_port(const closed_port&) = delete;
    closed_port& operator=(const closed_port&) = delete;

    const std::string& url() const { return url_; }

  private:
    int socket_;
    std::string url_;
};

conf::settings tls_settings(const support::scene& here, const std::string& ca) {
    auto settings = support::quick_settings(here.table);
    settings.broker.urls = {support::amqps_url()};
    settings.broker.tls.ca_file = support::tls_file(ca);
    return settings;
}

/// The broker's authority is known, but the name in the url is not one of its certificate's.
std::string url_by_other_name() {
    const auto url = conf::parse_url(support::amqps_url());
    return fmt::format("amqps://guest:guest@127.1:{}/", url.port);  // 127.0.0.1, in short
}

}  // namespace

TEST_SUITE("connections to the broker") {
    TEST_CASE("when one address refuses, the next is used at once") {
        support::scene here;
        const closed_port nobody;
        support::insert(here.server, here.table, 1, here.to.exchange());
        auto settings = support::quick_settings(here.table);
        settings.broker.urls = {nobody.url(), support::amqp_url()};
        settings.broker.reconnect_initial = settings.broker.reconnect_max = std::chrono::hours(1);
        // Which comes first is drawn at each start.
        bool refused_first = false;
        for (int start = 0; start < 40 && !refused_first; ++start) {
            const support::relaying relay(settings);
            REQUIRE(eventually([&] { return relay.so_far().up == 1; }));
            refused_first = relay.so_far().down == 1;
            REQUIRE(here.reaches(1, 1));
        }
        CHECK(refused_first);
    }

    TEST_CASE("amqps is used when authority and name are the expected ones") {
        support::scene here;
        support::insert(here.server, here.table, 200, here.to.exchange());
        const support::relaying relay(tls_settings(here, "ca.pem"));
        REQUIRE(here.reaches(1, 200));
        CHECK(here.rabbit.depth(here.to.queue()) == 200);
        CHECK_MESSAGE(relay.so_far().warnings == 0, relay.seen().all());
    }

    TEST_CASE("a certificate of an unknown authority, or for another name, is refused") {
        support::scene here;
        support::insert(here.server, here.table, 1, here.to.exchange());
        auto settings = tls_settings(here, "other-ca.pem");
        SUBCASE("authority") {}
        SUBCASE("name") {
            settings = tls_settings(here, "ca.pem");
            settings.broker.urls = {url_by_other_name()};
        }
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return relay.so_far().down >= 3; }));
        CHECK(relay.so_far().up == 0);
        CHECK(here.rows("status = 0 AND try_count = 0") == 1);
        CHECK(here.rabbit.depth(here.to.queue()) == 0);
    }

    TEST_CASE("without verification any certificate will do, and a warning says so at each connect") {
        support::scene here;
        support::insert(here.server, here.table, 1, here.to.exchange());
        auto settings = tls_settings(here, "other-ca.pem");
        settings.broker.urls = {url_by_other_name()};
        settings.broker.tls.verify = false;
        const support::relaying relay(settings);
        CHECK(here.reaches(1, 1));
        CHECK(relay.seen().warned_of("verify is off"));
    }

    TEST_CASE("a client certificate is shown to the broker") {
        support::scene here;
        auto settings = tls_settings(here, "ca.pem");
        settings.broker.tls.cert_file = support::tls_file("client-cert.pem");
        settings.broker.tls.key_file = support::tls_file("client-key.pem");
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return relay.so_far().up == 1; }));
        CHECK(eventually(
            [] { return support::ctl("list_connections peer_cert_subject").find("CN=outbox") != std::string::npos; }));
    }

    TEST_CASE("the topology is declared at the start, and again after each reconnect") {
        support::scene here;
        const auto name = support::unique_name("declared");
        auto settings = support::quick_settings(here.table);
        settings.topology.exchanges.resize(1);
        settings.topology.exchanges[0].name = name;
        settings.topology.queues.resize(1);
        settings.topology.queues[0].name = name;
        settings.topology.queues[0].arguments = {{"x-queue-type", "\"quorum\""}, {"x-max-length", "1000"}};
        settings.topology.bindings.resize(1);
        settings.topology.bindings[0].exchange = settings.topology.bindings[0].queue = name;
        settings.topology.bindings[0].routing_key = "#";
        support::insert(here.server, here.table, 1, name, "key", "one");
        const support::relaying relay(settings);
        REQUIRE(here.reaches(1, 1));
        CHECK(here.rabbit.get(name)->id == "one1");

        here.rabbit.delete_queue(name);
        support::ctl("close_all_connections maintenance");
        REQUIRE(eventually([&] { return relay.so_far().up == 2; }));
        CHECK(relay.seen().broker_down_for("maintenance"));
        support::insert(here.server, here.table, 1, name, "key", "two");
        REQUIRE(here.reaches(1, 2));
        CHECK(here.rabbit.get(name)->id == "two1");
        CHECK_MESSAGE(relay.so_far().warnings == 0, relay.seen().all());
        here.rabbit.delete_queue(name);
        here.rabbit.delete_exchange(name);
    }

    TEST_CASE("a topology that does not match is a warning with the broker's words, and the relay goes on") {
        support::scene here;
        auto settings = support::quick_settings(here.table);
        settings.topology.queues.resize(2);
        settings.topology.queues[0].name = here.to.queue();
        settings.topology.queues[0].arguments = {{"x-max-length", "5"}};
        settings.topology.queues[1].name = support::unique_name("declared");
        support::insert(here.server, here.table, 10, here.to.exchange());
        const support::relaying relay(settings);
        REQUIRE(here.reaches(1, 10));
        CHECK(relay.seen().warned_of("queue '" + here.to.queue() + "': 406 PRECONDITION_FAILED"));
        CHECK(relay.so_far().warnings == 1);
        CHECK(relay.so_far().down == 0);
        CHECK(here.rabbit.queue_exists(settings.topology.queues[1].name));
        here.rabbit.delete_queue(settings.topology.queues[1].name);
    }

    TEST_CASE("a part of the topology over which the broker closes the connection is left out, and the relay goes on") {
        support::scene here;
        auto settings = support::quick_settings(here.table);
        settings.topology.exchanges.resize(1);
        settings.topology.exchanges[0].name = support::unique_name("declared");
        settings.topology.exchanges[0].type = "x-no-such-type";  // 503
        settings.topology.queues.resize(1);
        settings.topology.queues[0].name = support::unique_name("declared");
        support::insert(here.server, here.table, 5, here.to.exchange());
        support::relaying relay(settings);
        CHECK(here.reaches(1, 5));
        relay.stop();
        CHECK(here.rabbit.queue_exists(settings.topology.queues[0].name));
        // From 4.0 on only the channel is closed over it.
        CHECK_MESSAGE((relay.seen().warned_of("left out of the topology") ||
                       relay.seen().warned_of("406 PRECONDITION_FAILED - unknown exchange type")),
                      relay.seen().all());
        here.rabbit.delete_queue(settings.topology.queues[0].name);
    }
}
