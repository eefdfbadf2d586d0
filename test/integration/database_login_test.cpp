// Ways to the database: accounts that come late, and TLS that can't be talked out of it.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "conf/url.hpp"
#include "test/support/control.hpp"
#include "test/support/environment.hpp"
#include "test/support/relaying.hpp"

using support::eventually;

namespace {

/// An account of the database for one test.
class account {
  public:
    explicit account(support::database& root) : root_(root) {}
    ~account() { root_.execute("DROP USER IF EXISTS " + in_sql()); }
    account(const account&) = delete;
    account& operator=(const account&) = delete;

    void create(const std::string& requirement = "") {
        root_.execute("CREATE USER " + in_sql() + " IDENTIFIED BY 'secret' " + requirement);
        root_.execute("GRANT ALL ON shop.* TO " + in_sql());
    }

    std::string url() const {
        const auto url = conf::parse_url(support::mysql_url());
        return fmt::format("mysql://{}:secret@{}:{}/shop", name_, url.host, url.port);
    }

  private:
    std::string in_sql() const { return fmt::format("'{}'@'127.0.0.1'", name_); }

    support::database& root_;
    std::string name_ = support::unique_name("late").substr(0, 32);
};

void require_tls(conf::settings& settings, const std::string& ca) {
    settings.database.tls_use = conf::tls_mode::required;
    settings.database.tls.ca_file = support::tls_file(ca);
}

}  // namespace

TEST_SUITE("connections to the database") {
    TEST_CASE("a database that does not let us in is waited for") {
        support::scene here;
        support::database root(support::database::account::root);
        account late(root);
        support::insert(here.server, here.table, 5, here.to.exchange());
        auto settings = support::quick_settings(here.table);
        settings.database.url = late.url();
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return relay.seen().database_down_for("Access denied"); }));
        CHECK(relay.so_far().database_errors == 0);
        late.create();
        REQUIRE(here.reaches(1, 5));
        CHECK(here.rabbit.depth(here.to.queue()) == 5);
    }

    TEST_CASE("required TLS is used, with the authority verified") {
        support::scene here;
        support::database root(support::database::account::root);
        account encrypted_only(root);
        encrypted_only.create("REQUIRE SSL");
        support::insert(here.server, here.table, 5, here.to.exchange());
        auto settings = support::quick_settings(here.table);
        settings.database.url = encrypted_only.url();
        require_tls(settings, "ca.pem");
        const support::relaying relay(settings);
        CHECK(here.reaches(1, 5));
        CHECK_MESSAGE(relay.so_far().reader_down == 0, relay.seen().all());
    }

    TEST_CASE("required TLS refuses a certificate of an unknown authority") {
        support::scene here;
        support::insert(here.server, here.table, 1, here.to.exchange());
        auto settings = support::quick_settings(here.table);
        require_tls(settings, "other-ca.pem");
        const support::relaying relay(settings);
        REQUIRE(eventually([&] { return relay.so_far().reader_down > 0; }));
        CHECK(relay.so_far().settled_asked == 0);
        CHECK(here.rows("status = 0") == 1);
    }

    TEST_CASE("required TLS refuses a server without TLS, verified or not") {
        support::scene here;
        const support::plain_mariadb plain;
        auto settings = support::quick_settings(here.table);
        settings.database.url = plain.url();
        {
            // Without the requirement the login would do: it is TLS that is refused below.
            const support::relaying relay(settings);
            REQUIRE(eventually([&] { return relay.seen().said_of_database("there is no table"); }));
        }
        require_tls(settings, "ca.pem");
        for (const bool verify : {true, false}) {
            CAPTURE(verify);
            settings.database.tls.verify = verify;
            const support::relaying relay(settings);
            REQUIRE(eventually([&] { return relay.so_far().reader_down > 0; }));
            CHECK_FALSE(relay.seen().said_of_database("there is no table"));
        }
    }
}
