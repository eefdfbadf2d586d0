#include "sidecar/api/jobs.hpp"

#include <doctest/doctest.h>

#include <atomic>

#include "test/support/waiting.hpp"

using namespace sidecar::api;
using namespace std::chrono_literals;
using support::eventually;

namespace {

// It never connects, as no job asks it anything.
std::unique_ptr<outbox::store> no_database() {
    conf::database settings;
    settings.url = "sqlite:///nowhere.db";
    return outbox::make_store(settings, {});
}

job::state state_of(const jobs& in, const std::string& id) { return in.find(id).value().is; }

/// A job that waits until it is let go, or is to stop.
struct held {
    std::atomic<bool> began = false;
    std::atomic<bool> let_go = false;

    jobs::work work() {
        return [this](outbox::store&, jobs::control& told) {
            began = true;
            while (!let_go && told.go_on(1ms)) {
            }
        };
    }
};

}  // namespace

TEST_SUITE("api jobs") {
    TEST_CASE("a job runs to its end and says how far it came") {
        jobs all(no_database);
        const auto begun = all.add("retry messages", "anna", [](outbox::store&, jobs::control& told) {
            told.total(7);
            told.progress(5, 2);
            told.trouble("somebody else holds its lock");
        });
        REQUIRE(begun);
        CHECK(begun->by == "anna");
        REQUIRE(eventually([&] { return state_of(all, begun->id) == job::state::done; }));
        const auto document = job_json(*all.find(begun->id));
        CHECK(document["action"] == "retry messages");
        CHECK(document["state"] == "done");
        CHECK(document["total"] == 7);
        CHECK(document["changed"] == 5);
        CHECK(document["left"] == 2);
        CHECK(document["error"] == "somebody else holds its lock");
        CHECK(document["started"].is_number());
        CHECK(document["ended"] >= document["started"]);
        CHECK_FALSE(all.find("none"));
    }

    TEST_CASE("a job that throws has failed, with its words and what it had done, and the next one runs") {
        jobs all(no_database);
        const auto broken = all.add("a", "", [](outbox::store&, jobs::control& told) {
            told.progress(3, 0);
            throw std::runtime_error("the database is away");
        });
        const auto next = all.add("b", "", [](outbox::store&, jobs::control&) {});
        REQUIRE(eventually([&] { return state_of(all, next->id) == job::state::done; }));
        const auto found = all.find(broken->id).value();
        CHECK(found.is == job::state::failed);
        CHECK(found.error == "the database is away");
        CHECK(found.changed == 3);
    }

    TEST_CASE("one job is at work at a time, sixteen wait, and more are refused") {
        held first;
        jobs all(no_database);
        const auto at_work = all.add("first", "", first.work());
        REQUIRE(eventually([&] { return first.began.load(); }));
        std::atomic<int> done = 0;
        std::vector<std::string> waiting;
        for (std::size_t i = 0; i < jobs::most_waiting; ++i)
            waiting.push_back(all.add("next", "", [&](outbox::store&, jobs::control&) { ++done; }).value().id);
        CHECK_FALSE(all.add("too many", "", [](outbox::store&, jobs::control&) {}));
        CHECK(state_of(all, waiting.front()) == job::state::queued);
        CHECK(done == 0);

        CHECK(all.stop(waiting[3]));
        CHECK(state_of(all, waiting[3]) == job::state::stopped);
        first.let_go = true;
        REQUIRE(eventually([&] { return done == static_cast<int>(waiting.size()) - 1; }));
        CHECK(state_of(all, at_work->id) == job::state::done);
        CHECK(all.all().size() == waiting.size() + 1);
        CHECK(all.all().back().id == at_work->id);
    }

    TEST_CASE("a job at work is stopped when that is asked for, and one that has ended stays as it is") {
        held one;
        jobs all(no_database);
        const auto id = all.add("long", "", one.work()).value().id;
        REQUIRE(eventually([&] { return one.began.load(); }));
        CHECK(state_of(all, id) == job::state::running);
        CHECK(all.stop(id));
        REQUIRE(eventually([&] { return state_of(all, id) == job::state::stopped; }));

        const auto short_one = all.add("short", "", [](outbox::store&, jobs::control&) {}).value().id;
        REQUIRE(eventually([&] { return state_of(all, short_one) == job::state::done; }));
        CHECK(all.stop(short_one));
        CHECK(state_of(all, short_one) == job::state::done);
        CHECK_FALSE(all.stop("none"));
    }

    TEST_CASE("the latest hundred are kept") {
        jobs all(no_database);
        std::string last;
        for (int i = 0; i < 150; ++i) {
            std::optional<job> begun;
            REQUIRE(eventually([&] {
                begun = all.add("some", "", [](outbox::store&, jobs::control&) {});
                return begun.has_value();
            }));
            last = begun->id;
        }
        REQUIRE(eventually([&] { return state_of(all, last) == job::state::done; }));
        CHECK(all.all().size() == jobs::most_kept);
        CHECK(all.all().front().id == last);
    }

    TEST_CASE("the end stops what is at work and what waits") {
        held one;
        std::atomic<int> others = 0;
        {
            jobs all(no_database);
            all.add("long", "", one.work());
            all.add("next", "", [&](outbox::store&, jobs::control&) { ++others; });
            REQUIRE(eventually([&] { return one.began.load(); }));
            all.stop();
            CHECK_FALSE(all.add("late", "", [](outbox::store&, jobs::control&) {}));
        }
        CHECK(others == 0);
    }
}
