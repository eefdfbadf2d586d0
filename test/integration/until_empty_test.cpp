// `run --until-empty`, as a Job runs it.

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "test/support/control.hpp"
#include "test/support/relaying.hpp"
#include "test/support/sidecar.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using support::settings_for;
using support::sidecar_process;

namespace {

const std::vector<std::string> until_empty = {"run", "--until-empty", "--set", "retry.strategy=fixed"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::string& setting) {
    arguments.insert(arguments.end(), {"--set", setting});
    return arguments;
}

json last_line(const sidecar_process& of) {
    std::istringstream lines(of.err());
    std::string last;
    for (std::string line; std::getline(lines, line);) last = line;
    return json::parse(last);
}

void put_off(support::scene& here, const std::string& ids) {
    here.server.execute(
        here.table.in("UPDATE {} SET next_try_time = next_try_time + 3600000 WHERE id IN (" + ids + ")"));
}

}  // namespace

TEST_SUITE("until empty") {
    TEST_CASE("it delivers what is there, says so in its last line, and exits with 0") {
        support::scene here;
        support::insert(here.server, here.table, 3'000, here.to.exchange());
        sidecar_process job(until_empty, settings_for(here.table));
        CHECK(job.wait() == 0);
        CHECK(here.rows("status = 1") == 3'000);
        CHECK(support::ids_of(here.rabbit.take_all(here.to.queue())).size() == 3'000);
        const auto end = last_line(job);
        CHECK(end["event"] == "emptied");
        CHECK(end["confirmed"] == 3'000);
        CHECK(end["failed"] == 0);
        CHECK(end["delayed"] == 0);
    }

    TEST_CASE("an empty table is the end at once, also without a broker") {
        const auto table = support::table::recommended();
        auto settings = settings_for(table);
        settings["OUTBOX_BROKER_URLS"] = "amqp://guest:guest@127.0.0.1:1/";
        sidecar_process job(until_empty, settings);
        CHECK(job.wait() == 0);
        CHECK(last_line(job)["event"] == "emptied");
    }

    TEST_CASE("a retry is waited for, and a message that fails for good is status 2, not a failed run") {
        support::scene here;
        support::insert(here.server, here.table, 2, here.to.exchange());
        support::insert(here.server, here.table, 1, "no-such-exchange", "key", "lost");
        sidecar_process job(with(with(until_empty, "retry.initial=1s"), "retry.max_retries=2"),
                            settings_for(here.table));
        CHECK(job.wait() == 0);
        CHECK(here.rows("status = 1") == 2);
        CHECK(support::state_of(here.server, here.table, "lost1") == support::row_state{2, 3});
        const auto end = last_line(job);
        CHECK(end["event"] == "emptied");
        CHECK(end["level"] == "warning");
        CHECK(end["failed"] == 1);
    }

    TEST_CASE("what the application has put off is not waited for, and counted") {
        support::scene here;
        support::insert(here.server, here.table, 5, here.to.exchange());
        put_off(here, "'m1', 'm2'");
        sidecar_process job(until_empty, settings_for(here.table));
        CHECK(job.wait() == 0);
        CHECK(here.rows("status = 1") == 3);
        CHECK(last_line(job)["delayed"] == 2);
    }

    TEST_CASE("it does not end while another sidecar has rows on their way") {
        support::scene here;
        support::insert(here.server, here.table, 1, here.to.exchange(), "first", "first");
        sidecar_process holder({"--set", "broker.confirm_timeout=10m", "--set", "broker.heartbeat=5m"},
                               settings_for(here.table));
        REQUIRE(here.reaches(1, 1));
        {
            const support::paused_broker pause;
            support::insert(here.server, here.table, 5, here.to.exchange());
            sidecar_process job(until_empty, settings_for(here.table));
            REQUIRE(job.says(R"("event":"standing_by")"));
            CHECK(support::holds_for(2s, [&] { return job.err().find("emptied") == std::string::npos; }));
            job.signal(SIGTERM);
            CHECK(job.wait() == 1);
        }
        sidecar_process job(until_empty, settings_for(here.table));
        CHECK(job.wait() == 0);
        CHECK(here.rows("status = 1") == 6);
        CHECK(last_line(job)["confirmed"] == 0);  // the holder's work
        holder.signal(SIGTERM);
        CHECK(holder.wait() == 0);
    }

    TEST_CASE("servers that are away are waited for, and a stop before the end is exit code 1") {
        support::scene here;
        support::insert(here.server, here.table, 1, here.to.exchange());
        auto settings = settings_for(here.table);
        settings["OUTBOX_BROKER_URLS"] = "amqp://guest:guest@127.0.0.1:1/";
        sidecar_process no_broker(until_empty, settings);
        REQUIRE(no_broker.says(R"("event":"broker_down")"));
        REQUIRE(no_broker.says(R"("role":"emptiness")"));
        CHECK(support::holds_for(1s, [&] { return no_broker.err().find("emptied") == std::string::npos; }));
        no_broker.signal(SIGTERM);
        CHECK(no_broker.wait() == 1);

        settings["OUTBOX_DATABASE_URL"] = "mysql://outbox:outbox@127.0.0.1:1/shop";
        sidecar_process no_database(until_empty, settings);
        REQUIRE(no_database.says(R"("role":"emptiness")"));
        no_database.signal(SIGTERM);
        CHECK(no_database.wait() == 1);
        CHECK(last_line(no_database)["event"] == "stopped");
    }
}
