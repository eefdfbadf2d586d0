#include "sidecar/metrics.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "test/support/exposition.hpp"
#include "test/unit/simulated_table.hpp"

using namespace std::chrono_literals;

namespace {

struct fixture {
    simulation::turned_clock clock;
    sidecar::metrics metrics{clock};

    std::map<std::string, support::family> all() const { return support::read_exposition(metrics.text()); }
    double value(const std::string& series) const { return support::value_of(all(), series); }

    relay::attempt answered(relay::outcome result, std::chrono::milliseconds after) {
        return {{"id", "e", "k", 0, 1}, std::move(result), clock.now() - after};
    }
};

/// What a part of `pattern` matches in a file of the project.
std::set<std::string> words_in(const std::string& file, const std::regex& pattern, int part) {
    std::ifstream in(OUTBOX_SOURCE_FOLDER "/" + file);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    return {std::sregex_token_iterator(text.begin(), text.end(), pattern, part), {}};
}

/// Every word with the prefix of our series.
std::set<std::string> named_in(const std::string& file) { return words_in(file, std::regex("\\boutbox_[a-z_]+"), 0); }

outbox::census some_census() {
    outbox::census one;
    one.rows = {{outbox::status::delivering, 7}, {outbox::status::failed, 2}};
    one.due = 5;
    one.now = 1'000'000;
    one.oldest_due = 970'000;
    one.ledger_entries = 2;
    one.blocked_keys = 3;
    one.receipts_overdue = 4;
    return one;
}

}  // namespace

TEST_SUITE("metrics") {
    TEST_CASE_FIXTURE(fixture, "every series is there from the start, with 0") {
        for (const auto& [name, one] : all()) {
            CAPTURE(name);
            for (const auto& [series, value] : one.samples) {
                CAPTURE(series);
                CHECK(value == (name == "outbox_build_info" ? 1 : 0));
            }
        }
        for (const char* outcome : {"confirmed", "returned", "refused", "no_exchange", "impossible", "unknown"})
            CHECK(value("outbox_attempts_total{outcome=\"" + std::string(outcome) + "\"}") == 0);
        CHECK(value("outbox_confirm_duration_seconds_count") == 0);
        CHECK(value("outbox_purged_rows_total{status=\"failed\"}") == 0);
    }

    TEST_CASE_FIXTURE(fixture, "names, units and help texts are as promtool wants them") {
        auto census = some_census();
        census.history_length = 1;
        census.oldest_transaction = 1s;
        metrics.counted(census);
        metrics.dead_letters({"orders.dead", 1});
        for (const auto& objection : support::lint(all())) FAIL_CHECK(objection);
    }

    TEST_CASE_FIXTURE(fixture, "those of several sources are one text: each series by its source, the process's once") {
        sidecar::metrics other{clock};
        metrics.attempted(answered(relay::confirmed{}, 1ms));
        for (int i = 0; i < 2; ++i) other.attempted(answered(relay::confirmed{}, 1ms));
        auto census = some_census();
        census.history_length = 9;  // a series that only one of them has
        other.counted(census);
        const std::vector<std::pair<std::string, const sidecar::metrics*>> both = {{"orders", &metrics},
                                                                                   {"billing", &other}};
        const auto together = support::read_exposition(sidecar::metrics::text(both));
        for (const auto& objection : support::lint(together)) FAIL_CHECK(objection);
        const auto is = [&](const std::string& series) { return support::value_of(together, series); };
        CHECK(is("outbox_attempts_total{source=\"orders\",outcome=\"confirmed\"}") == 1);
        CHECK(is("outbox_attempts_total{source=\"billing\",outcome=\"confirmed\"}") == 2);
        CHECK(is("outbox_confirm_duration_seconds_bucket{source=\"billing\",le=\"+Inf\"}") == 2);
        CHECK(is("outbox_innodb_history_length{source=\"billing\"}") == 9);
        CHECK(together.at("outbox_build_info").samples.size() == 1);
        CHECK(together.at("outbox_build_info").samples.begin()->first.find("source") == std::string::npos);
        for (const auto& [name, one] : together) {
            CAPTURE(name);
            for (const auto& [series, value] : one.samples)
                CHECK((name == "outbox_build_info" || series.find("source=\"") != std::string::npos));
        }
    }

    TEST_CASE_FIXTURE(fixture, "labels take few values, whatever passes through") {
        std::size_t before = 0, after = 0;
        for (const auto& [name, one] : all()) before += one.samples.size();
        for (int i = 0; i < 100; ++i) {
            const auto text = std::to_string(i);
            metrics.attempted({{text, text, text, i, 1}, relay::no_exchange{404, text}});
            metrics.retrying({text, text, text, i, 1}, i, 1s, text);
            metrics.failed({text, text, text, i, 1}, i, text);
            metrics.database_down(text, text);
            metrics.database_error(text, text);
            metrics.lane_taken(static_cast<unsigned>(i), 100);
            metrics.broker_up(text);
            metrics.broker_blocked(text);
        }
        for (const auto& [name, one] : all()) after += one.samples.size();
        CHECK(after == before);
        CHECK(before < 200);
        CHECK(value("outbox_lanes_held") == 100);
        CHECK(value("outbox_attempts_total{outcome=\"no_exchange\"}") == 100);
    }

    TEST_CASE_FIXTURE(fixture, "a batch counts each outcome, and times what the broker answered") {
        std::vector<relay::attempt> batch;
        batch.push_back(answered(relay::confirmed{}, 3ms));
        batch.push_back(answered(relay::confirmed{}, 40ms));
        batch.push_back(answered(relay::returned{312, "NO_ROUTE"}, 200ms));
        batch.push_back({{"id", "e", "k", 0, 1}, relay::unknown{true}});
        batch.push_back({{"id", "e", "k", 0, 1}, relay::unknown{false}});
        metrics.attempted_all(batch);
        metrics.attempted_all(batch);
        CHECK(value("outbox_attempts_total{outcome=\"confirmed\"}") == 4);
        CHECK(value("outbox_attempts_total{outcome=\"returned\"}") == 2);
        CHECK(value("outbox_attempts_total{outcome=\"unknown\"}") == 4);
        CHECK(value("outbox_possible_duplicates_total") == 2);
        CHECK(value("outbox_confirm_duration_seconds_count") == 6);
        CHECK(value("outbox_confirm_duration_seconds_sum") == doctest::Approx(0.486));
        CHECK(value("outbox_confirm_duration_seconds_bucket{le=\"0.0025\"}") == 0);
        CHECK(value("outbox_confirm_duration_seconds_bucket{le=\"0.005\"}") == 2);
        CHECK(value("outbox_last_success_timestamp_seconds") > 1.6e9);
    }

    TEST_CASE_FIXTURE(fixture, "the lag is measured by the database's clock, however far off that is") {
        auto one = answered(relay::confirmed{}, 1ms);
        one.row.due_since = 500'000;
        metrics.attempted_all({&one, 1});
        CHECK(value("outbox_delivery_lag_seconds_count") == 0);  // what time it is there is not known yet
        metrics.database_clock(501'000, clock.now(), 1ms);
        clock.advance(2s);
        metrics.database_clock(999'000, clock.now(), 5s);  // an answer that was long on its way
        metrics.attempted_all({&one, 1});
        CHECK(value("outbox_delivery_lag_seconds_sum") == doctest::Approx(3.0));
        clock.advance(30s);
        metrics.database_clock(533'000, clock.now(), 5s);  // better than an old one
        metrics.attempted_all({&one, 1});
        CHECK(value("outbox_delivery_lag_seconds_sum") == doctest::Approx(36.0));
        one.row.due_since = 600'000;  // set forward since
        metrics.attempted_all({&one, 1});
        CHECK(value("outbox_delivery_lag_seconds_sum") == doctest::Approx(36.0));
        CHECK(value("outbox_delivery_lag_seconds_count") == 3);
    }

    TEST_CASE_FIXTURE(fixture, "a broker that is down is counted as lost once, and is not blocked") {
        metrics.broker_up("a");
        metrics.broker_blocked("memory");
        CHECK(value("outbox_broker_blocked") == 1);
        for (int i = 0; i < 3; ++i) metrics.broker_down("gone", 1s);
        CHECK(value("outbox_broker_connected") == 0);
        CHECK(value("outbox_broker_blocked") == 0);
        CHECK(value("outbox_broker_connections_lost_total") == 1);
    }

    TEST_CASE_FIXTURE(fixture, "what settling, purging and the lanes do is counted") {
        metrics.settled(400, 390, 5ms);
        CHECK(value("outbox_settle_batch_rows_sum") == 400);
        CHECK(value("outbox_settle_duration_seconds_sum") == doctest::Approx(0.005));
        CHECK(value("outbox_settled_elsewhere_total") == 10);
        relay::purge_report report;
        report.lines = {{outbox::status::delivered, 1h, 3}, {outbox::status::consumed, 1h, 0}, {std::nullopt, 1h, 2}};
        metrics.purged(report);
        CHECK(value("outbox_purged_rows_total{status=\"delivered\"}") == 3);
        CHECK(value("outbox_purged_rows_total{status=\"ledger\"}") == 2);
        metrics.lane_taken(1, 4);
        metrics.lane_taken(2, 4);
        metrics.lane_released(1, "");
        metrics.lane_lost(2, "late");
        CHECK(value("outbox_lanes_held") == 0);
        CHECK(value("outbox_leases_lost_total") == 1);
        metrics.database_up("reader");
        CHECK(value("outbox_database_connected{role=\"reader\"}") == 1);
        metrics.database_down("reader", "gone");
        CHECK(value("outbox_database_connected{role=\"reader\"}") == 0);
        CHECK(value("outbox_database_errors_total{role=\"reader\"}") == 1);
    }

    TEST_CASE_FIXTURE(fixture, "what was counted is shown until another sidecar counts; what can't be seen is absent") {
        metrics.counted(some_census());
        CHECK(value("outbox_backlog_rows{status=\"delivering\"}") == 7);
        CHECK(value("outbox_backlog_rows{status=\"delivered\"}") == 0);
        CHECK(value("outbox_due_rows") == 5);
        CHECK(value("outbox_oldest_due_age_seconds") == 30);
        CHECK(value("outbox_ledger_entries") == 2);
        CHECK(value("outbox_blocked_keys") == 3);
        CHECK(value("outbox_receipts_overdue") == 4);
        CHECK(value("outbox_backlog_counted_timestamp_seconds") > 1.6e9);
        CHECK(metrics.text().find("outbox_innodb_history_length ") == std::string::npos);
        auto census = some_census();
        census.oldest_due = std::nullopt;
        census.history_length = 12;
        census.oldest_transaction = 90s;
        metrics.counted(census);
        CHECK(value("outbox_oldest_due_age_seconds") == 0);
        CHECK(value("outbox_innodb_history_length") == 12);
        CHECK(value("outbox_oldest_transaction_age_seconds") == 90);
        metrics.counted(std::nullopt);
        CHECK(value("outbox_backlog_rows{status=\"delivering\"}") == 0);
        CHECK(value("outbox_backlog_counted_timestamp_seconds") == 0);
        CHECK(value("outbox_receipts_overdue") == 0);
        CHECK_THROWS(value("outbox_innodb_history_length"));
    }

    TEST_CASE_FIXTURE(fixture, "receipts are counted by what became of them") {
        metrics.receipts_up("a");
        CHECK(value("outbox_receipts_connected") == 1);
        metrics.receipts_taken(500, 3, std::vector<std::string>{"x", ""});
        metrics.receipts_taken(1, 0, {});
        CHECK(value("outbox_receipts_total{outcome=\"recorded\"}") == 501);
        CHECK(value("outbox_receipts_total{outcome=\"unchanged\"}") == 3);
        CHECK(value("outbox_receipts_total{outcome=\"unknown\"}") == 2);
        metrics.redelivered(7);
        CHECK(value("outbox_redelivered_total") == 7);
        metrics.receipts_down("gone", 1s);
        CHECK(value("outbox_receipts_connected") == 0);
    }

    TEST_CASE_FIXTURE(fixture, "dead letters are counted by queue, and none is there until one is configured") {
        CHECK_THROWS(value("outbox_dead_letters{queue=\"a\"}"));
        metrics.dead_letters({"a", 7});
        CHECK(value("outbox_dead_letters{queue=\"a\"}") == 7);
        CHECK(value("outbox_dead_letters_filed_total{queue=\"a\"}") == 0);
        metrics.dead_letters({"a", std::nullopt, 3, 2, 1});
        CHECK(value("outbox_dead_letters{queue=\"a\"}") == 7);
        CHECK(value("outbox_dead_letters_redriven_total{queue=\"a\"}") == 3);
        CHECK(value("outbox_dead_letters_filed_total{queue=\"a\"}") == 2);
        CHECK(value("outbox_dead_letters_refused_total{queue=\"a\"}") == 1);
        metrics.ended();
        CHECK(value("outbox_dead_letters{queue=\"a\"}") == 0);
        CHECK(value("outbox_dead_letters_redriven_total{queue=\"a\"}") == 3);
    }

    TEST_CASE_FIXTURE(fixture, "a dead-letter queue that is dropped has no series any more") {
        metrics.dead_letters({"a", 7});
        metrics.dead_letters({"b", 8});
        metrics.dead_letters({"a", std::nullopt, 0, 0, 0, true});
        CHECK_THROWS(value("outbox_dead_letters{queue=\"a\"}"));
        CHECK_THROWS(value("outbox_dead_letters_filed_total{queue=\"a\"}"));
        CHECK(value("outbox_dead_letters{queue=\"b\"}") == 8);
        metrics.dead_letters({"a", std::nullopt, 0, 0, 0, true});
        metrics.dead_letters({"a", 1});
        CHECK(value("outbox_dead_letters{queue=\"a\"}") == 1);
        metrics.management_up();
        metrics.dead_letters_left_out(3);
        CHECK(value("outbox_management_connected") == 1);
        CHECK(value("outbox_dead_letter_queues_left_out") == 3);
        metrics.ended();
        CHECK(value("outbox_management_connected") == 0);
        CHECK(value("outbox_dead_letter_queues_left_out") == 0);
    }

    TEST_CASE_FIXTURE(fixture, "what the webhook tells is counted by outcome") {
        CHECK(value("outbox_webhook_total{outcome=\"delivered\"}") == 0);
        metrics.notice({relay::notice_event::delivered, 1, {}, {}});
        metrics.notice({relay::notice_event::failed, 1, {}, {}});
        metrics.notice({relay::notice_event::failed, 1, {}, {}});
        metrics.notice({relay::notice_event::given_up, 1, {}, {}});
        metrics.notice({relay::notice_event::untold, 1, {}, {}});
        CHECK(value("outbox_webhook_total{outcome=\"delivered\"}") == 1);
        CHECK(value("outbox_webhook_total{outcome=\"failed\"}") == 2);
        CHECK(value("outbox_webhook_total{outcome=\"given_up\"}") == 1);
        CHECK(value("outbox_webhook_total{outcome=\"untold\"}") == 1);
        metrics.notices_waiting(5);
        CHECK(value("outbox_webhook_pending") == 5);
        metrics.ended();
        CHECK(value("outbox_webhook_pending") == 0);
    }

    TEST_CASE_FIXTURE(fixture, "when a relay ends, it holds nothing, and its counts stay") {
        metrics.broker_up("a");
        metrics.database_up("lanes");
        metrics.lane_taken(0, 1);
        metrics.carrying(9);
        metrics.receipts_up("a");
        metrics.counted(some_census());
        metrics.failed({"id", "e", "k", 0, 1}, 3, "why");
        metrics.ended();
        for (const char* series :
             {"outbox_broker_connected", "outbox_database_connected{role=\"lanes\"}", "outbox_lanes_held",
              "outbox_in_flight_rows", "outbox_due_rows", "outbox_receipts_connected"}) {
            CAPTURE(series);
            CHECK(value(series) == 0);
        }
        CHECK(value("outbox_failed_total") == 1);
        CHECK(value("outbox_broker_connections_lost_total") == 0);
    }

    TEST_CASE_FIXTURE(fixture,
                      "alert rules, dashboard and README.md speak of series that exist; the latter two of all") {
        auto census = some_census();
        census.history_length = 1;
        census.oldest_transaction = 1s;
        metrics.counted(census);
        metrics.dead_letters({"orders.dead", 1});
        std::set<std::string> known;
        for (const auto& [name, one] : all()) {
            known.insert(name);
            if (one.type != "histogram") continue;
            for (const char* part : {"_bucket", "_sum", "_count"}) known.insert(name + part);
        }
        const auto rules = named_in("deploy/alerts/outbox-sidecar.yaml");
        CHECK(rules.size() >= 10);
        for (const auto& name : rules) CHECK_MESSAGE(known.contains(name), name);
        const auto dashboard = named_in("deploy/dashboards/outbox-sidecar.json");
        for (const auto& name : dashboard) CHECK_MESSAGE(known.contains(name), name);
        for (const auto& [name, one] : all())
            CHECK_MESSAGE((dashboard.contains(name) || dashboard.contains(name + "_bucket") ||
                           dashboard.contains(name + "_count")),
                          name);
        const auto readme = named_in("README.md");
        for (const auto& [name, one] : all()) CHECK_MESSAGE(readme.contains(name), name);
        for (const auto& name : readme) CHECK_MESSAGE((known.contains(name) || name == "outbox_migration"), name);
    }

    TEST_CASE("whoever watches beside others is told everything") {
        const std::regex told("virtual void (\\w+)\\("), passed_on("void (\\w+)\\([^{]*override");
        const auto all = words_in("relay/observer.hpp", told, 1);
        CHECK(all.size() >= 24);
        CHECK(words_in("sidecar/observers.hpp", passed_on, 1) == all);
    }

    TEST_CASE("the metrics cost little of a message's time") {
        const relay::steady_clock clock;
        sidecar::metrics metrics(clock);
        metrics.database_clock(1'000'000, clock.now(), 1ms);
        std::vector<relay::attempt> batch;
        for (int i = 0; i < 200; ++i) {
            batch.push_back({{"id", "e", "k", 0, 1}, relay::confirmed{}, clock.now()});
            batch.back().row.due_since = 1'000'000;
        }
        const auto began = clock.now();
        constexpr int rounds = 2'000;
        for (int i = 0; i < rounds; ++i) metrics.attempted_all(batch);
        const auto each = std::chrono::duration<double, std::micro>(clock.now() - began).count() / (rounds * 200);
        MESSAGE("per message: " << each << " us");
        CHECK(each < 2);  // the aim is 0.2 in a release build; sanitizers and busy machines are slow
    }
}
