// What becomes of the messages in dead-letter queues.

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <sys/socket.h>

#include <csignal>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "conf/url.hpp"
#include "outbox/store.hpp"
#include "relay/amqp_letters.hpp"
#include "relay/dead_letter.hpp"
#include "test/support/control.hpp"
#include "test/support/environment.hpp"
#include "test/support/exposition.hpp"
#include "test/support/http.hpp"
#include "test/support/letters.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using support::eventually;

namespace {

/// What the sidecar says about dead letters.
class listener final : public relay::observer {
  public:
    struct figures {
        std::uint64_t length = 0, redriven = 0, filed = 0, refused = 0;
        std::vector<std::string> troubles;
    };
    figures of(const std::string& queue) const {
        const std::lock_guard lock(mutex_);
        const auto found = all_.find(queue);
        return found == all_.end() ? figures{} : found->second;
    }

    void dead_letters(const relay::letter_report& report) override {
        const std::lock_guard lock(mutex_);
        auto& one = all_[std::string(report.queue)];
        if (report.length) one.length = *report.length;
        one.redriven += report.redriven;
        one.filed += report.filed;
        one.refused += report.refused;
    }
    void dead_letters_trouble(std::string_view queue, std::string_view why) override {
        const std::lock_guard lock(mutex_);
        all_[std::string(queue)].troubles.emplace_back(why);
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::string, figures> all_;
};

/// A database of its own, whose ledger nobody else fills, and a place where messages die.
struct dead_scene {
    explicit dead_scene(const json& dead_queue_arguments = json::object()) : grave(rabbit, dead_queue_arguments) {
        settings = support::quick_settings(table.settings());
        conf::dead_letters one;
        one.queue = grave.dead();
        one.interval = 0ms;
        one.rate = 100'000;
        settings.dead_letters = {one};
        if (!store().has_ledger()) FAIL("there is no ledger");
    }

    conf::dead_letters& its() { return settings.dead_letters.front(); }
    outbox::store& store() {
        if (!store_) store_ = outbox::make_store(table.settings(), {});
        return *store_;
    }
    std::vector<outbox::ledger_entry> entries() { return store().entries(std::nullopt, 1'000); }

    /// Messages "m1" … with headers and properties, that have died.
    void bury(std::size_t count) {
        auto without = settings;
        without.dead_letters.clear();
        support::relaying relay(without);
        support::insert(server, table, count, grave.exchange(), "order.created");
        REQUIRE(eventually([&] { return rabbit.depth(grave.dead()) == count; }));
        relay.stop();
    }

    support::own_database database;
    support::table table = support::table::recommended(database.name());
    support::database server;
    support::broker rabbit;
    support::graveyard grave;
    conf::settings settings;
    listener heard;
    std::unique_ptr<outbox::store> store_;
};

support::variables variables_of(const dead_scene& here) { return support::settings_for(here.table); }

json json_of(const support::result& done) {
    INFO(done.err);
    REQUIRE(json::accept(done.out));
    return json::parse(done.out);
}

}  // namespace

TEST_SUITE("dead letters") {
    TEST_CASE("a dead letter goes back to where it came from, as it was, and is counted") {
        dead_scene here;
        here.server.execute(here.table.in(
            "INSERT INTO {} (id, msg, exchange, routing_key, headers, properties) VALUES ('a', 'body', '" +
            here.grave.exchange() +
            R"(', 'order.created', '{"n": 1, "tables": {"x": [true, null]}, )"
            R"("x-exception-message": "boom"}', '{"correlation_id": "c", "priority": 3}'))"));
        auto without = here.settings;
        without.dead_letters.clear();
        {
            const support::relaying relay(without);
            REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 1; }));
        }
        here.grave.heal();
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.queue()) == 1; }));
        const auto back = here.rabbit.get(here.grave.queue());
        REQUIRE(back);
        CHECK(back->id == "a");
        CHECK(back->body == "body");
        CHECK(back->exchange == here.grave.exchange());
        CHECK(back->routing_key == "order.created");
        CHECK(back->correlation_id == "c");
        CHECK(back->priority == 3);
        CHECK(back->delivery_mode == 2);
        CHECK(back->headers["n"] == 1);
        CHECK(back->headers["tables"]["x"] == json::array({true, nullptr}));
        CHECK(back->headers["x-outbox-redrives"] == 1);
        for (const char* gone : {"x-death", "x-first-death-queue", "x-exception-message"})
            CHECK_FALSE(back->headers.contains(gone));
        CHECK(eventually([&] { return here.heard.of(here.grave.dead()).redriven == 1; }));
        CHECK(here.rabbit.depth(here.grave.dead()) == 0);
        CHECK(here.entries().empty());
    }

    TEST_CASE("what dies again after so many redrives is filed in the ledger, once") {
        auto arguments = json::object();
        SUBCASE("from a classic queue") {}
        SUBCASE("from a quorum queue") { arguments["x-queue-type"] = "quorum"; }
        dead_scene here(arguments);
        here.its().max_redrives = 2;
        here.bury(3);
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.heard.of(here.grave.dead()).filed == 3; }));
        service.stop();
        CHECK(here.heard.of(here.grave.dead()).redriven == 6);
        CHECK(here.rabbit.depth(here.grave.dead()) == 0);
        const auto entries = here.entries();
        REQUIRE(entries.size() == 3);
        std::set<std::string> ids;
        for (const auto& one : entries) {
            ids.insert(one.message_id);
            CHECK(one.failed_on == outbox::ledger_entry::side::consumer);
            CHECK(one.exchange == here.grave.exchange());
            CHECK(one.routing_key == "order.created");
            CHECK(one.reason.starts_with("expired in queue '" + here.grave.queue() + "'; from dead-letter queue '" +
                                         here.grave.dead() + "'; redriven 2 times; last died 20"));
            REQUIRE(one.headers);
            CHECK(json::parse(*one.headers)["x-outbox-redrives"] == 2);
            CHECK(here.store().payload(one.id)->starts_with("{\"number\""));
        }
        CHECK(ids == std::set<std::string>{"m1", "m2", "m3"});
    }

    TEST_CASE("what a consumer leaves of its exception is filed with the letter") {
        dead_scene here;
        here.its().max_redrives = 0;
        here.server.execute(here.table.in(
            "INSERT INTO {} (id, exchange, routing_key, headers, msg) VALUES ('a', '', '" + here.grave.dead() +
            R"(', '{"x-original-exchange": "orders", "x-original-routingKey": "k", "x-exception-message": )"
            R"("no such customer", "x-exception-stacktrace": "at Orders.java:7"}', ''))"));
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.entries().size() == 1; }));
        const auto one = here.entries().front();
        CHECK(one.exchange == "orders");
        CHECK(one.routing_key == "k");
        CHECK(one.reason.ends_with("\nno such customer\nat Orders.java:7"));
        CHECK(one.payload_size == 0);
    }

    TEST_CASE("an override says where dead letters go") {
        dead_scene here;
        const support::route elsewhere(here.rabbit);
        here.bury(2);
        here.its().exchange = elsewhere.exchange();
        here.its().routing_key = "again";
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.rabbit.depth(elsewhere.queue()) == 2; }));
        CHECK(here.rabbit.get(elsewhere.queue())->routing_key == "again");
    }

    TEST_CASE("before its interval is over, and while the queue is paused, a letter stays, and is measured") {
        dead_scene here;
        here.bury(2);
        here.grave.heal();
        SUBCASE("interval") { here.its().interval = 1h; }
        SUBCASE("paused") { here.its().paused = true; }
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.heard.of(here.grave.dead()).length == 2; }));
        CHECK(support::holds_for(1s, [&] { return here.rabbit.depth(here.grave.queue()) == 0; }));
        service.stop();
        CHECK(here.rabbit.depth(here.grave.dead()) == 2);
        CHECK(here.heard.of(here.grave.dead()).troubles.empty());
    }

    TEST_CASE("a letter that is looked at again and again is not lost to a queue that counts deliveries") {
        dead_scene here({{"x-queue-type", "quorum"}, {"x-delivery-limit", 10}});
        here.its().interval = 1h;
        here.bury(1);
        for (int start = 0; start < 15; ++start) {
            listener heard;
            sidecar::service service(here.settings, heard);
            REQUIRE(eventually([&] { return heard.of(here.grave.dead()).length == 1; }));
            service.stop();  // what is given back by then is the next one's
        }
        CHECK(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 1; }));
        here.grave.heal();
        CHECK(support::run_sidecar({"redrive", here.grave.dead()}, variables_of(here)).code == 0);
        REQUIRE(here.rabbit.depth(here.grave.queue()) == 1);
        CHECK(here.rabbit.get(here.grave.queue())->id == "m1");
    }

    TEST_CASE("letters whose exchange is gone stay, said once; `redrive` sends them when it is back") {
        dead_scene here;
        here.bury(70);  // more than are fetched at once
        here.rabbit.delete_exchange(here.grave.exchange());
        {
            sidecar::service service(here.settings, here.heard);
            REQUIRE(eventually([&] { return here.heard.of(here.grave.dead()).refused == 70; }));
            CHECK(support::holds_for(1s, [&] { return here.heard.of(here.grave.dead()).refused == 70; }));
            service.stop();
        }
        const auto told = here.heard.of(here.grave.dead()).troubles;
        REQUIRE(told.size() == 1);
        CHECK(told[0] == "404 NOT_FOUND - no exchange '" + here.grave.exchange() + "'");
        CHECK(here.rabbit.depth(here.grave.dead()) == 70);

        here.rabbit.declare_exchange(here.grave.exchange());
        here.grave.heal();
        const auto preview =
            json_of(support::run_sidecar({"redrive", here.grave.dead(), "--dry-run", "--json"}, variables_of(here)));
        CHECK(preview["looked_at"] == 70);
        CHECK(preview["moves"] ==
              json::array({{{"exchange", here.grave.exchange()}, {"routing_key", "order.created"}, {"messages", 70}}}));
        CHECK(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 70; }));
        const auto some =
            support::run_sidecar({"redrive", here.grave.dead(), "--limit", "5", "--rate", "10000"}, variables_of(here));
        CHECK(some.code == 0);
        CHECK(some.out == "5 messages redriven.\n");
        CHECK(here.rabbit.depth(here.grave.queue()) == 5);
        const auto rest = json_of(
            support::run_sidecar({"redrive", here.grave.dead(), "--json", "--rate", "10000"}, variables_of(here)));
        CHECK(rest["redriven"] == 65);
        const auto all = here.rabbit.take_all(here.grave.queue());
        CHECK(all.size() == 70);
        CHECK(support::ids_of(all).size() == 70);
        CHECK(here.rabbit.depth(here.grave.dead()) == 0);
    }

    TEST_CASE("letters that no queue wants, and those that say no origin, stay") {
        dead_scene here;
        here.bury(1);
        here.rabbit.delete_queue(here.grave.queue());
        support::insert(here.server, here.table, 1, "", here.grave.dead(), "alien");
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.heard.of(here.grave.dead()).refused == 2; }));
        service.stop();
        CHECK(here.rabbit.depth(here.grave.dead()) == 2);
        const auto told = here.heard.of(here.grave.dead()).troubles;
        const auto said = [&](const std::string& part) {
            return std::any_of(told.begin(), told.end(),
                               [&](const auto& one) { return one.find(part) != std::string::npos; });
        };
        CHECK(said("312 NO_ROUTE"));
        CHECK(said("has no x-death"));
        CHECK(here.entries().empty());
    }

    TEST_CASE("letters that can't be filed stay until they can") {
        dead_scene here;
        here.its().max_redrives = 0;
        here.bury(2);
        here.server.execute(here.table.in("RENAME TABLE " + here.database.name() + ".sys_mq_fail TO " +
                                          here.database.name() + ".away"));
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.heard.of(here.grave.dead()).refused == 2; }));
        service.stop();
        CHECK(here.rabbit.depth(here.grave.dead()) == 2);
        CHECK(here.heard.of(here.grave.dead()).troubles.front().find("no ledger") != std::string::npos);
    }

    TEST_CASE("connections that are lost in the midst of it lose no letter") {
        dead_scene here;
        constexpr std::size_t many = 2'000;
        here.bury(many);
        here.grave.heal();
        here.its().rate = 600;
        sidecar::service service(here.settings, here.heard);
        for (int i = 1; i <= 3; ++i) {
            REQUIRE(
                eventually([&] { return here.rabbit.depth(here.grave.queue()) >= 200 * static_cast<std::size_t>(i); }));
            support::ctl("close_all_connections once_more");
        }
        REQUIRE(eventually([&] {
            return here.rabbit.depth(here.grave.dead()) == 0 && here.rabbit.depth(here.grave.queue()) >= many;
        }));
        service.stop();
        const auto all = here.rabbit.take_all(here.grave.queue());
        CHECK(support::ids_of(all).size() == many);
        CHECK_FALSE(here.heard.of("").troubles.empty());
        MESSAGE("duplicates: " << all.size() - many);
    }

    TEST_CASE("killed between a letter's confirm and its ack: it comes twice, counted once as redriven in each copy") {
        dead_scene here;
        here.bury(3);
        here.grave.heal();
        {
            // The steps of a redrive, up to there.
            relay::amqp::letter_box box(conf::parse_url(support::amqp_url()), here.settings.broker);
            auto fetched = box.get(here.grave.dead());
            const auto& letter = std::get<std::optional<relay::amqp::letter>>(fetched);
            REQUIRE(letter);
            const auto certificate = relay::read_certificate(letter->headers());
            const relay::amqp::copy copy{&*letter, here.grave.exchange(), "order.created", relay::headers_of_death(),
                                         relay::headers_of_redrive(certificate, here.its(), 1'700'000'000)};
            const auto outcomes = box.send({&copy, 1}, [] { return true; });
            REQUIRE(std::holds_alternative<relay::confirmed>(outcomes.at(0)));
            ::shutdown(box.socket(), SHUT_RDWR);
        }
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.queue()) == 4; }));
        service.stop();
        CHECK(here.rabbit.depth(here.grave.dead()) == 0);
        const auto all = here.rabbit.take_all(here.grave.queue());
        CHECK(support::ids_of(all).size() == 3);
        for (const auto& one : all) CHECK(one.headers["x-outbox-redrives"] == 1);
    }

    TEST_CASE("a sidecar that is killed again and again loses no letter, and redrives none more often than it says") {
        constexpr std::size_t many = 3'000;
        constexpr std::size_t fetched_at_once = 64;
        dead_scene here;
        here.bury(many);
        here.grave.heal();
        const support::folder folder;
        const auto file = folder.write("sidecar.yaml", "dead_letters:\n  - {queue: " + here.grave.dead() +
                                                           ", interval: 0s, max_redrives: 1, rate: 100000}\n");
        auto env = variables_of(here);
        env["OUTBOX_RELAY_LEASE"] = "1s";
        constexpr std::size_t kills = 4;
        for (std::size_t kill = 1; kill <= kills; ++kill) {
            const support::sidecar_process sidecar({"run", "--config", file}, env);
            REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.queue()) >= kill * many / (kills + 1); }));
            sidecar.signal(SIGKILL);
        }
        support::sidecar_process last({"run", "--config", file}, env);
        REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 0; }));
        last.signal(SIGTERM);
        CHECK(last.wait() == 0);
        const auto all = here.rabbit.take_all(here.grave.queue());
        CHECK(support::ids_of(all).size() == many);
        CHECK(all.size() <= many + kills * fetched_at_once);
        for (const auto& one : all) REQUIRE(one.headers["x-outbox-redrives"] == 1);
        CHECK(here.entries().empty());
        MESSAGE("duplicates: " << all.size() - many);
    }

    TEST_CASE("two sidecars at one dead-letter queue move each letter once") {
        constexpr std::size_t many = 2'000;
        dead_scene here;
        here.bury(many);
        here.grave.heal();
        // Each relays a table of its own, so each is in charge.
        const support::own_database other_database;
        const auto other_table = support::table::recommended(other_database.name());
        auto others = here.settings;
        others.database = other_table.settings();
        listener also_heard;
        sidecar::service one(here.settings, here.heard), other(others, also_heard);
        REQUIRE(eventually([&] {
            return here.rabbit.depth(here.grave.dead()) == 0 && here.rabbit.depth(here.grave.queue()) == many;
        }));
        one.stop();
        other.stop();
        const auto all = here.rabbit.take_all(here.grave.queue());
        CHECK(all.size() == many);
        CHECK(support::ids_of(all).size() == many);
        CHECK(here.heard.of(here.grave.dead()).redriven + also_heard.of(here.grave.dead()).redriven == many);
        CHECK(here.heard.of(here.grave.dead()).redriven > 0);
        CHECK(also_heard.of(here.grave.dead()).redriven > 0);
    }

    TEST_CASE("a quorum queue with a delivery limit of 1 loses no letter that has to wait, or can't be sent") {
        dead_scene here({{"x-queue-type", "quorum"}, {"x-delivery-limit", 1}});
        here.bury(3);
        SUBCASE("it has to wait") { here.its().interval = 1h; }
        SUBCASE("its exchange is gone") { here.rabbit.delete_exchange(here.grave.exchange()); }
        for (int start = 0; start < 5; ++start) {
            listener heard;
            sidecar::service service(here.settings, heard);
            REQUIRE(eventually([&] { return heard.of(here.grave.dead()).length == 3; }));
            service.stop();
        }
        REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 3; }));
        here.rabbit.declare_exchange(here.grave.exchange());
        here.grave.heal();
        CHECK(support::run_sidecar({"redrive", here.grave.dead()}, variables_of(here)).code == 0);
        CHECK(support::ids_of(here.rabbit.take_all(here.grave.queue())).size() == 3);
    }

    TEST_CASE("the connection that files letters is shown like any other, and so are its errors") {
        dead_scene here;
        here.bury(1);
        const support::folder folder;
        const auto file = folder.write("sidecar.yaml", "dead_letters:\n  - {queue: " + here.grave.dead() +
                                                           ", interval: 0s, max_redrives: 0, rate: 100000}\n");
        auto env = variables_of(here);
        env["OUTBOX_HTTP_METRICS"] = "127.0.0.1:0";
        support::sidecar_process sidecar({"run", "--config", file}, env);
        REQUIRE(sidecar.says("http_listening"));
        const auto said = sidecar.err();
        const auto address = said.substr(said.find("127.0.0.1:") + 10);
        const auto port = static_cast<std::uint16_t>(std::stoi(address));
        const auto shown = [&](const std::string& series) {
            return support::value_of(support::read_exposition(support::http_get(port, "/metrics").body),
                                     series + "{role=\"dead_letters\"}");
        };
        REQUIRE(eventually([&] { return here.entries().size() == 1; }));
        CHECK(eventually([&] { return shown("outbox_database_connected") == 1; }));
        CHECK(shown("outbox_database_errors_total") == 0);

        support::database root(support::database::account::root);
        root.execute("CREATE TRIGGER " + here.database.name() + ".no BEFORE INSERT ON " + here.database.name() +
                     ".sys_mq_fail FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'");
        support::insert(here.server, here.table, 1, here.grave.exchange(), "order.created", "second");
        CHECK(eventually([&] { return shown("outbox_database_errors_total") == 1; }));
        CHECK(shown("outbox_database_connected") == 0);
        CHECK(here.rabbit.depth(here.grave.dead()) <= 1);
        CHECK(sidecar.says("not today"));
    }

    TEST_CASE("headers that have outgrown a frame are read, and filed when they can't be sent") {
        dead_scene here;
        // What the broker adds at a death makes it longer than a frame.
        constexpr std::size_t frame = 131'072 - 8 - 12;
        SUBCASE("what is left without it goes back") {
            support::publish_padded(here.grave.exchange(), "k", "large", frame - 300);
            REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 1; }));
            here.grave.heal();
            sidecar::service service(here.settings, here.heard);
            REQUIRE(eventually([&] { return here.heard.of(here.grave.dead()).redriven == 1; }));
            CHECK(here.rabbit.depth(here.grave.queue()) == 1);
        }
        SUBCASE("what has no room for a header of ours is filed") {
            support::publish_padded(here.grave.exchange(), "k", "large", frame - 10);
            REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 1; }));
            here.grave.heal();
            sidecar::service service(here.settings, here.heard);
            REQUIRE(eventually([&] { return here.heard.of(here.grave.dead()).filed == 1; }));
            REQUIRE(here.entries().size() == 1);
            CHECK(here.entries()[0].reason.find("do not fit into a frame") != std::string::npos);
        }
        CHECK(here.rabbit.depth(here.grave.dead()) == 0);
    }

    TEST_CASE("letters without ids, and with the same, are told apart") {
        dead_scene here;
        for (const char* id : {"", "same", "", "same"})
            support::publish_padded(here.grave.exchange(), id[0] == 0 ? "lost" : "found", id, 1'000);
        REQUIRE(eventually([&] { return here.rabbit.depth(here.grave.dead()) == 4; }));
        here.rabbit.delete_queue(here.grave.queue());
        here.rabbit.declare_queue(here.grave.queue());
        here.rabbit.bind(here.grave.queue(), here.grave.exchange(), "found");
        sidecar::service service(here.settings, here.heard);
        REQUIRE(eventually([&] {
            const auto so_far = here.heard.of(here.grave.dead());
            return so_far.redriven + so_far.refused == 4;
        }));
        service.stop();
        CHECK(here.heard.of(here.grave.dead()).redriven == 2);
        for (const auto& one : here.rabbit.take_all(here.grave.queue())) CHECK(one.id == "same");
        for (const auto& one : here.rabbit.take_all(here.grave.dead())) CHECK(one.id.empty());
    }

    TEST_CASE("a consumer's failure is sent again by hand once; the second operator is told") {
        dead_scene here;
        here.its().max_redrives = 0;
        here.bury(1);
        {
            sidecar::service service(here.settings, here.heard);
            REQUIRE(eventually([&] { return here.entries().size() == 1; }));
            service.stop();
        }
        const auto entry = std::to_string(here.entries().front().id);
        here.rabbit.delete_exchange(here.grave.exchange());
        const auto retry = [&](std::vector<std::string> more = {}) {
            std::vector<std::string> arguments{"failures", "retry", entry, "--json"};
            arguments.insert(arguments.end(), more.begin(), more.end());
            return json_of(support::run_sidecar(arguments, variables_of(here)))["entries"][0];
        };
        const auto failed = retry();
        CHECK(failed["outcome"] == "not_done");
        CHECK(failed["reason"] == "404 NOT_FOUND - no exchange '" + here.grave.exchange() + "'");
        CHECK(here.entries().front().retries == 1);
        CHECK_FALSE(here.entries().front().last_retry_succeeded);

        here.rabbit.declare_exchange(here.grave.exchange());
        here.grave.heal();
        CHECK(retry()["outcome"] == "done");
        const auto back = here.rabbit.get(here.grave.queue());
        REQUIRE(back);
        CHECK(back->id == "m1");
        CHECK(back->routing_key == "order.created");
        CHECK(back->body == "{\"number\": 1}");
        CHECK_FALSE(back->headers.contains("x-death"));
        CHECK(here.entries().front().last_retry_succeeded);
        CHECK(retry()["outcome"] == "already");
        CHECK(here.rabbit.depth(here.grave.queue()) == 0);
        CHECK(retry({"--force"})["outcome"] == "done");
        CHECK(here.rabbit.depth(here.grave.queue()) == 1);
        CHECK(here.entries().front().retries == 3);
    }
}
