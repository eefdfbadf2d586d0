// What differs between the servers that users run: how MySQL lets an account in, columns of type JSON, and how large a
// message RabbitMQ takes unless told otherwise. `test/matrix` runs this, as all else, against several versions.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conf/url.hpp"
#include "outbox/store.hpp"
#include "test/integration/rows.hpp"
#include "test/support/control.hpp"
#include "test/support/environment.hpp"

using nlohmann::json;
using rows::put;
using support::eventually;
using support::row_state;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

bool is_mysql(support::database& server) {
    return server.text("SELECT VERSION()").find("MariaDB") == std::string::npos;
}

/// An account that has never logged in: what a server remembers of earlier logins makes the next one easier.
class new_account {
  public:
    new_account(support::database& root, const std::string& requirement) : root_(root) {
        root_.execute("CREATE USER " + in_sql() + " IDENTIFIED WITH caching_sha2_password BY 'secret' REQUIRE " +
                      requirement);
        root_.execute("GRANT ALL ON shop.* TO " + in_sql());
    }
    ~new_account() { root_.execute("DROP USER " + in_sql()); }
    new_account(const new_account&) = delete;
    new_account& operator=(const new_account&) = delete;

    std::string url() const {
        const auto url = conf::parse_url(support::mysql_url());
        return fmt::format("mysql://{}:secret@{}:{}/shop", name_, url.host, url.port);
    }

  private:
    std::string in_sql() const { return fmt::format("'{}'@'127.0.0.1'", name_); }

    support::database& root_;
    std::string name_ = support::unique_name("new").substr(0, 32);
};

/// What `doctor` would say of the encryption, which is also proof of a login.
std::string encryption(const conf::database& settings) {
    for (const auto& one : outbox::make_store(settings, {})->examine()) {
        if (one.subject == "encryption") return one.found;
    }
    return "unknown";
}

support::table with_json_bodies() {
    auto made = support::table::recommended();
    support::database().execute(made.in("ALTER TABLE {} MODIFY msg json"));
    return made;
}

json body_of(const support::received& message) { return json::parse(message.body); }

}  // namespace

TEST_SUITE("versions") {
    TEST_CASE("on MySQL, caching_sha2_password lets a new account in over TLS") {
        support::scene here;
        if (!is_mysql(here.server)) return;
        support::database root(support::database::account::root);
        for (const bool verify : {true, false}) {
            CAPTURE(verify);
            const new_account account(root, "SSL");
            auto settings = support::quick_settings(here.table);
            settings.database.url = account.url();
            settings.database.tls_use = conf::tls_mode::required;
            settings.database.tls.verify = verify;
            settings.database.tls.ca_file = support::tls_file("ca.pem");
            CHECK(encryption(settings.database).find("TLS, ") == 0);
            root.execute("FLUSH PRIVILEGES");  // which forgets the login
            put(here, verify ? "verified" : "unverified");
            const support::relaying relay(settings);
            CHECK_MESSAGE(here.reaches(1, verify ? 1 : 2), relay.seen().all());
            CHECK(relay.so_far().reader_down == 0);
        }
    }

    TEST_CASE("on MySQL, caching_sha2_password lets a new account in without TLS, by the server's public key") {
        support::scene here;
        if (!is_mysql(here.server)) return;
        const support::plain_mariadb plain;
        conf::database settings;
        settings.url = plain.url();
        CHECK(encryption(settings).find("none") == 0);
        // The password is checked indeed.
        const auto url = conf::parse_url(plain.url());
        settings.url = fmt::format("mysql://outbox:wrong@{}:{}/shop", url.host, url.port);
        CHECK_THROWS_WITH_AS(outbox::make_store(settings, {})->migrate(), doctest::Contains("Access denied"),
                             outbox::store_unavailable);
    }

    TEST_CASE("a body in a column of type JSON is sent as the server prints it, small or large") {
        support::scene here(with_json_bodies());
        const json small = {{"b", {1, 2.5, true, nullptr}}, {"a", "ü 😀 \" \\ \n"}};
        const json large = {{"text", std::string(100'000, 'x')}, {"smile", "😀"}};
        const json scalar = "just a text";
        put(here, "small", {{"msg", support::utf8(small.dump())}});
        put(here, "large", {{"msg", support::utf8(large.dump())}});
        put(here, "scalar", {{"msg", support::utf8(scalar.dump())}});
        put(here, "missing", {{"msg", "NULL"}});
        const auto messages = rows::relayed(here, 4);
        REQUIRE(messages.size() == 4);
        for (const auto& one : messages) {
            CAPTURE(one.id);
            if (one.id == "small") CHECK(body_of(one) == small);
            if (one.id == "large") CHECK(body_of(one) == large);
            if (one.id == "scalar") CHECK(body_of(one) == scalar);
            if (one.id == "missing") CHECK(one.body.empty());
        }
    }

    TEST_CASE("headers and properties in columns of type JSON keep their types and characters") {
        support::scene here;
        put(here, "a",
            {{"headers", support::utf8(R"({"n": 9007199254740993, "d": 0.5, "t": "ü 😀", "y": true, "z": null})")},
             {"properties", support::utf8(R"({"priority": 5, "correlation_id": "ü 😀"})")}});
        const auto message = rows::only(here);
        const json expected = {{"n", 9007199254740993}, {"d", 0.5}, {"t", "ü 😀"}, {"y", true}, {"z", nullptr}};
        CHECK(message.headers == expected);
        CHECK(message.priority == 5);
        CHECK(message.correlation_id == "ü 😀");
    }

    TEST_CASE("seventeen MiB are too much for RabbitMQ 4 as it comes, and not for 3; all others pass") {
        const bool fits = std::stoi(support::ctl("version")) < 4;
        support::scene here;
        support::insert(here.server, here.table, 10, here.to.exchange(), "key", "a");
        put(here, "large", {{"msg", fmt::format("REPEAT('x', {})", 17 * mebibyte)}});
        support::insert(here.server, here.table, 10, here.to.exchange(), "key", "z");
        support::relaying relay(support::quick_settings(here.table));
        REQUIRE(eventually([&] { return here.rows("status <> 0") == 21; }));
        relay.stop();

        const auto state = support::state_of(here.server, here.table, "large");
        CHECK(here.rows("status = 1 AND try_count = 0") == (fits ? 21 : 20));
        const auto messages = here.rabbit.take_all(here.to.queue());
        if (fits) {
            CHECK(state == row_state{1, 0});
            CHECK(std::any_of(messages.begin(), messages.end(),
                              [](const auto& one) { return one.body.size() == 17 * mebibyte; }));
            return;
        }
        CHECK(state == row_state{2, 0});
        const auto why = support::error_of(here.server, here.table, "large");
        CAPTURE(why);
        CHECK(why.find(std::to_string(17 * mebibyte)) != std::string::npos);
        CHECK(why.find(std::to_string(16 * mebibyte)) != std::string::npos);
        CHECK(support::ids_of(messages).size() == 20);
        CHECK(relay.so_far().warnings == 1);
    }
}
