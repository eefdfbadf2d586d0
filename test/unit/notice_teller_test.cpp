#include "relay/notice_teller.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "outbox/store.hpp"
#include "test/unit/simulated_table.hpp"

using namespace std::chrono_literals;
using is = relay::notice_answer::kind;
using kind = outbox::notice_outcome::kind;
using relay::notice_event;
using std::chrono::milliseconds;

namespace {

struct row {
    std::int64_t entry = 0;
    std::string exchange;
    kind state = kind::again;
    std::int64_t tries = 0;
    relay::time_point due{};
};

struct table final : outbox::notices {
    simulation::turned_clock& clock;
    std::vector<row> rows;
    bool there = true;
    bool records = true;
    int recordings = 0, looks = 0, notings = 0;

    explicit table(simulation::turned_clock& c) : clock(c) {}

    bool has_notices() override { return there; }
    std::size_t note_entries(std::size_t) override {
        ++notings;
        return 0;
    }
    std::uint64_t count_notices(std::uint64_t) override {
        return static_cast<std::uint64_t>(
            std::count_if(rows.begin(), rows.end(), [](const row& one) { return one.state == kind::again; }));
    }
    std::vector<outbox::notice> due_notices(std::size_t limit) override {
        ++looks;
        std::vector<outbox::notice> due;
        for (const auto& one : rows) {
            if (one.state != kind::again || one.due > clock.now() || due.size() == limit) continue;
            outbox::notice notice;
            notice.what.id = one.entry;
            notice.what.exchange = one.exchange;
            notice.tries = one.tries;
            due.push_back(notice);
        }
        return due;
    }
    std::optional<std::string> payload_start(std::int64_t, std::size_t) override { return "payload"; }
    void record_notices(std::span<const outbox::notice_outcome> outcomes) override {
        if (!records) throw outbox::store_unavailable("gone");
        ++recordings;
        for (const auto& outcome : outcomes)
            for (auto& one : rows)
                if (one.entry == outcome.entry) {
                    one.state = outcome.what;
                    one.tries += outcome.spent ? 1 : 0;
                    one.due = clock.now() + outcome.delay;
                }
    }
    std::size_t forget_notices() override { return 0; }
};

struct receiver final : relay::notice_sender {
    std::vector<std::int64_t> told;
    std::vector<std::string> urls;
    std::optional<std::string> payload;
    std::map<std::string, relay::notice_answer> answers;  // by url; none: taken

    relay::notice_answer send(const std::string& url, const outbox::notice& what,
                              const std::optional<std::string>& body) override {
        told.push_back(what.what.id);
        urls.push_back(url);
        payload = body;
        const auto found = answers.find(url);
        return found == answers.end() ? relay::notice_answer{} : found->second;
    }
};

struct listener final : relay::observer {
    std::vector<notice_event> events;
    std::uint64_t waiting = 0;
    int downs = 0, ups = 0;
    void notice(const relay::notice_report& report) override { events.push_back(report.outcome); }
    void notices_waiting(std::uint64_t entries) override { waiting = entries; }
    void database_down(std::string_view, std::string_view) override { ++downs; }
    void database_up(std::string_view) override { ++ups; }
};

struct fixture {
    fixture() {
        settings.url = "https://a/";
        settings.rate = 1'000;
        settings.retry_initial = 5s;
        settings.retry_max = 1h;
        settings.max_tries = 3;
    }
    relay::notice_teller make() {
        return {notices,
                settings,
                there,
                clock,
                heard,
                [this] { return in_charge; },
                [this](milliseconds pause) {
                    clock.advance(pause);
                    paused += pause;
                    return going;
                }};
    }
    void add(std::int64_t entry, const std::string& exchange = "e") { notices.rows.push_back({entry, exchange}); }

    simulation::turned_clock clock;
    table notices{clock};
    receiver there;
    listener heard;
    conf::webhook settings;
    bool in_charge = true, going = true;
    milliseconds paused{0};
};

conf::webhook with_pauses(milliseconds initial, milliseconds most) {
    conf::webhook settings;
    settings.retry_initial = initial;
    settings.retry_max = most;
    return settings;
}

}  // namespace

TEST_SUITE("notices") {
    TEST_CASE("the pause doubles from the first to the longest, however many tries there were") {
        const auto settings = with_pauses(5s, 1min);
        CHECK(relay::pause_after(settings, 0) == 5s);
        CHECK(relay::pause_after(settings, 1) == 5s);
        CHECK(relay::pause_after(settings, 2) == 10s);
        CHECK(relay::pause_after(settings, 4) == 40s);
        CHECK(relay::pause_after(settings, 5) == 1min);
        CHECK(relay::pause_after(settings, 10'000) == 1min);
        CHECK(relay::pause_after(with_pauses(24h, 24h), 1'000'000'000'000) == 24h);
    }

    TEST_CASE("what an answer means") {
        auto settings = with_pauses(5s, 1min);
        settings.max_tries = 3;
        const auto judged = [&](is what, std::int64_t tries, std::optional<milliseconds> wait = {}) {
            return relay::judge(settings, 7, tries, {what, "why", wait});
        };
        CHECK(judged(is::taken, 2).what == kind::told);
        CHECK(judged(is::gone, 0).what == kind::given_up);
        for (const auto what : {is::refused, is::away}) {
            CHECK(judged(what, 0).what == kind::again);
            CHECK(judged(what, 0).entry == 7);
            CHECK(judged(what, 0).spent);
            CHECK(judged(what, 0).delay == 5s);
            CHECK(judged(what, 1).delay == 10s);
            CHECK(judged(what, 2).what == kind::given_up);
            CHECK(judged(what, 2).error == "why");
            CHECK(judged(what, 0, 30s).delay == 30s);  // as asked for …
            CHECK(judged(what, 0, 1s).delay == 5s);    // … but no sooner
            CHECK(judged(what, 0, 7h).delay == 1min);  // … and no later than the longest pause
            CHECK(judged(what, 0, -7s).delay == 5s);
        }
        CHECK(relay::rest_after(with_pauses(5s, 1h), 1, {is::away, "", {}}) == 5s);
        CHECK(relay::rest_after(with_pauses(5s, 1h), 20, {is::away, "", {}}) == 60s);
        CHECK(relay::rest_after(with_pauses(5s, 1h), 20, {is::away, "", 10min}) == 10min);
    }

    TEST_CASE("the first route that matches decides, and one without a url keeps a failure untold") {
        conf::webhook settings;
        settings.url = "https://else/";
        settings.routes = {
            {"billing.*", "*", "https://billing/"}, {"*", "debug.?", ""}, {"billing.x", "*", "https://no/"}};
        CHECK(relay::url_for(settings, "billing.x", "debug.1") == "https://billing/");
        CHECK(relay::url_for(settings, "orders", "debug.1").empty());
        CHECK(relay::url_for(settings, "orders", "created") == "https://else/");
    }

    TEST_CASE_FIXTURE(fixture, "what is due is told in its order, and recorded one by one") {
        for (int i = 1; i <= 3; ++i) add(i);
        auto teller = make();
        CHECK(teller.run_once() >= 1s);
        CHECK(there.told == std::vector<std::int64_t>{1, 2, 3});
        CHECK_FALSE(there.payload);
        CHECK(notices.recordings == 3);
        CHECK(heard.events == std::vector(3, notice_event::delivered));
        CHECK(heard.waiting == 3);
        CHECK(heard.ups == 1);
        teller.run_once();
        CHECK(there.told.size() == 3);
        CHECK(heard.waiting == 0);
    }

    TEST_CASE_FIXTURE(fixture, "the body is fetched only if it is to be told") {
        settings.body = true;
        add(1);
        make().run_once();
        CHECK(there.payload == "payload");
    }

    TEST_CASE_FIXTURE(fixture, "one that is refused does not hold up the others, and is given up in the end") {
        settings.routes = {{"bad", "*", "https://b/"}};
        there.answers["https://b/"] = {is::refused, "HTTP 400", {}};
        add(1, "bad");
        add(2);
        auto teller = make();
        teller.run_once();
        CHECK(there.told == std::vector<std::int64_t>{1, 2});
        teller.run_once();
        CHECK(there.told.size() == 2);  // not before its pause is over
        clock.advance(5s);
        teller.run_once();
        clock.advance(10s);
        teller.run_once();
        CHECK(there.told == std::vector<std::int64_t>{1, 2, 1, 1});
        CHECK(notices.rows[0].state == kind::given_up);
        clock.advance(24h);
        teller.run_once();
        CHECK(there.told.size() == 4);
        CHECK(heard.events.back() == notice_event::given_up);
    }

    TEST_CASE_FIXTURE(fixture, "a receiver that is away is left alone for a while, which costs the others no try") {
        there.answers["https://a/"] = {is::away, "no answer", {}};
        settings.routes = {{"fine", "*", "https://b/"}};
        add(1);
        add(2);
        add(3, "fine");
        add(4);
        auto teller = make();
        teller.run_once();
        CHECK(there.told == std::vector<std::int64_t>{1, 3});
        CHECK(notices.rows[0].tries == 1);
        CHECK(notices.rows[1].tries == 0);
        CHECK(notices.rows[3].tries == 0);
        there.answers.clear();
        clock.advance(5s);
        teller.run_once();
        CHECK(there.told == std::vector<std::int64_t>{1, 3, 1, 2, 4});
        CHECK(notices.count_notices(9) == 0);
    }

    TEST_CASE_FIXTURE(fixture, "while nobody can be told, nobody looks whom to tell") {
        there.answers["https://a/"] = {is::away, "no answer", {}};
        for (int i = 1; i <= 100; ++i) add(i);
        auto teller = make();
        teller.run_once();
        CHECK(notices.looks == 1);
        const auto recordings = notices.recordings;
        for (int i = 0; i < 4; ++i) {
            teller.run_once();
            clock.advance(1s);
        }
        CHECK(notices.looks == 1);
        CHECK(notices.recordings == recordings);
        CHECK(recordings <= 2);
        clock.advance(1s);
        teller.run_once();
        CHECK(notices.looks == 2);
    }

    TEST_CASE_FIXTURE(fixture, "no more than so many are told in a second") {
        settings.rate = 10;
        for (int i = 1; i <= 11; ++i) add(i);
        make().run_once();
        CHECK(there.told.size() == 11);
        CHECK(paused == 1s);
    }

    TEST_CASE_FIXTURE(fixture,
                      "what was told but could not be recorded is recorded before anything else, not told again") {
        add(1);
        add(2);
        auto teller = make();
        notices.records = false;
        teller.run_once();
        teller.run_once();
        CHECK(there.told == std::vector<std::int64_t>{1});
        CHECK(heard.downs == 1);
        notices.records = true;
        teller.run_once();
        CHECK(there.told == std::vector<std::int64_t>{1, 2});
    }

    TEST_CASE_FIXTURE(fixture, "a call that a stop has cut off spends no try") {
        there.answers["https://a/"] = {is::away, "stopped", {}};
        add(1);
        going = false;
        make().run_once();
        CHECK(there.told.size() == 1);
        CHECK(notices.rows[0].tries == 0);
        CHECK(heard.events.empty());
    }

    TEST_CASE_FIXTURE(fixture, "one is in charge, and the others tell nothing") {
        add(1);
        auto teller = make();
        in_charge = false;
        teller.run_once();
        CHECK(there.told.empty());
        CHECK(notices.looks == 0);
        CHECK(notices.notings == 1);  // from now on everything is to be told
        teller.run_once();
        CHECK(notices.notings == 1);
        in_charge = true;
        teller.run_once();
        CHECK(there.told.size() == 1);
        in_charge = false;
        heard.waiting = 9;
        teller.run_once();
        CHECK(heard.waiting == 0);
    }

    TEST_CASE_FIXTURE(fixture, "without its table it says so once, and looks again now and then") {
        add(1);
        notices.there = false;
        auto teller = make();
        CHECK(teller.run_once() == 30s);
        CHECK(teller.run_once() == 30s);
        CHECK(heard.downs == 1);
        notices.there = true;
        teller.run_once();
        CHECK(there.told.size() == 1);
        CHECK(heard.ups == 1);
    }

    TEST_CASE_FIXTURE(fixture, "what is not to be told is counted, and not told") {
        settings.routes = {{"quiet", "*", ""}};
        add(1, "quiet");
        auto teller = make();
        teller.run_once();
        CHECK(there.told.empty());
        CHECK(notices.rows[0].state == kind::untold);
        CHECK(heard.events == std::vector{notice_event::untold});
    }
}
