// Ways to the database: accounts that come late, and TLS that can't be talked out of it.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>

#include "conf/url.hpp"
#include "test/support/control.hpp"
#include "test/support/environment.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

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

    /// For new connections; those that there are end.
    void change_password(const std::string& password) {
        root_.execute("ALTER USER " + in_sql() + " IDENTIFIED BY '" + password + "'");
        for (const auto& one : root_.rows("SELECT id FROM information_schema.processlist WHERE user = '" + name_ + "'"))
            root_.execute("KILL " + *one.front());
    }

    std::string url(const std::string& password = ":secret") const {
        const auto url = conf::parse_url(support::mysql_url());
        return fmt::format("mysql://{}{}@{}:{}/shop", name_, password, url.host, url.port);
    }
    std::string url_without_password() const { return url(""); }

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

    TEST_CASE("a new password is used at once, and outcomes that the old one could not record are recorded with it") {
        constexpr std::size_t many = 1'000;
        support::scene here;
        support::database root(support::database::account::root);
        account one(root);
        one.create();
        support::insert(here.server, here.table, many, here.to.exchange());
        const support::folder folder;
        const auto file = folder.write("password", "secret");
        auto env = support::settings_for(here.table);
        env["OUTBOX_DATABASE_URL"] = one.url_without_password();
        env["OUTBOX_DATABASE_PASSWORD_FILE"] = file;
        env["OUTBOX_RELAY_DRAIN_TIMEOUT"] = "10m";
        env["OUTBOX_RELAY_LEASE"] = "2s";
        // What is confirmed can't be recorded, as somebody holds the rows.
        support::database locker;
        locker.execute("BEGIN");
        locker.rows(here.table.in("SELECT id FROM {} FOR UPDATE"));
        support::sidecar_process sidecar({"run"}, env);
        REQUIRE(eventually([&] { return here.rabbit.depth(here.to.queue()) == many; }));
        one.change_password("another");
        locker.execute("ROLLBACK");
        REQUIRE(sidecar.says("Access denied"));
        folder.write("password", "another");
        sidecar.signal(SIGHUP);
        REQUIRE(sidecar.says("\"handed_over\":" + std::to_string(many)));
        REQUIRE(here.reaches(1, many));
        support::insert(here.server, here.table, 10, here.to.exchange(), "key", "more");
        REQUIRE(here.reaches(1, many + 10));
        sidecar.signal(SIGTERM);
        CHECK(sidecar.wait() == 0);
        CHECK(here.rabbit.depth(here.to.queue()) == many + 10);
    }
}
