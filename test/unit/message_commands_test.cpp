// What the commands on messages are told, and how they show what they find.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "relay/dead_letter.hpp"
#include "sidecar/body_text.hpp"
#include "sidecar/command_line.hpp"
#include "sidecar/exit_code.hpp"
#include "sidecar/instant.hpp"
#include "sidecar/message_view.hpp"
#include "sidecar/terminal.hpp"

using namespace sidecar;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;

namespace {

template <class Command>
Command understood(const strings& arguments) {
    const auto parsed = parse(arguments);
    if (const auto* end = std::get_if<parting>(&parsed)) FAIL(end->text);
    return std::get<Command>(std::get<invocation>(parsed).what);
}

std::string refused(const strings& arguments) {
    const auto parsed = parse(arguments);
    REQUIRE(std::holds_alternative<parting>(parsed));
    CHECK(std::get<parting>(parsed).exit_code == exit_code::usage);
    return std::get<parting>(parsed).text;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

constexpr outbox::epoch_ms some_time = 1'763'713'800'000;  // 2025-11-21T08:30:00Z

}  // namespace

TEST_CASE("list understands every condition, and has a limit") {
    const auto all = understood<command::list>({"list", "--status", "failed", "--exchange", "", "--routing-key", "k%",
                                                "--id-prefix", "a_", "--error", "NO ROUTE", "--since", "2h", "--before",
                                                "2025-11-21T08:30:00Z", "--limit", "7", "--json"});
    CHECK(all.which.filter.status == 2);
    CHECK(all.which.filter.exchange == "");
    CHECK(all.which.filter.routing_key == "k%");
    CHECK(all.which.filter.id_prefix == "a_");
    CHECK(all.which.filter.error == "NO ROUTE");
    CHECK(all.which.since == moment(2h));
    CHECK(all.which.before == moment(some_time));
    CHECK(all.limit == 7);

    const auto none = understood<command::list>({"list"});
    CHECK_FALSE(none.which.filter.status);
    CHECK_FALSE(none.which.filter.exchange);
    CHECK_FALSE(none.which.since);
    CHECK(none.limit == 50);
}

TEST_CASE("list finds what is overdue, which says already of what status and since when") {
    CHECK(understood<command::list>({"list", "--overdue", "--exchange", "x"}).overdue);
    CHECK_FALSE(understood<command::list>({"list"}).overdue);
    CHECK(contains(refused({"list", "--overdue", "--status", "failed"}), "excludes"));
    CHECK(contains(refused({"list", "--overdue", "--before", "2h"}), "excludes"));
}

TEST_CASE("a status is a name or a number") {
    const auto status = [](const std::string& text) {
        return understood<command::list>({"list", "--status=" + text}).which.filter.status;
    };
    CHECK(status("delivering") == 0);
    CHECK(status("delivered") == 1);
    CHECK(status("failed") == 2);
    CHECK(status("consumed") == 3);
    CHECK(status("99") == 99);
    CHECK(status("-1") == -1);
    for (const char* wrong : {"unknown", "Failed", "2x", "", "99999999999"})
        CHECK(contains(refused({"list", std::string("--status=") + wrong}), "--status"));
}

TEST_CASE("show takes one id, whatever it looks like") {
    CHECK(understood<command::show>({"show", "a b"}).id == "a b");
    CHECK(understood<command::show>({"show", "--full", "--", "--json"}).id == "--json");
    CHECK(understood<command::show>({"show", "--", "list"}).id == "list");
    CHECK(understood<command::show>({"show", "a", "--full"}).full);
    refused({"show"});
    refused({"show", "a", "b"});
}

TEST_CASE("retry and delete take ids or a selection, never both and never neither") {
    const auto ids = understood<command::retry>({"retry", "a", "b", "--dry-run"});
    CHECK(ids.ids == strings{"a", "b"});
    CHECK(ids.dry_run);
    CHECK_FALSE(ids.all);
    CHECK_FALSE(ids.which.filter.status);
    for (const char* command : {"retry", "delete"}) {
        refused({command});
        refused({command, "a", "--all", "--status", "failed"});
        CHECK(contains(refused({command, "a", "--exchange", "x"}), "--all"));
        CHECK(contains(refused({command, "--since", "2h"}), "--all"));
    }
}

TEST_CASE("what would lose or repeat messages in bulk takes --force, and a deletion says of which status") {
    CHECK(understood<command::retry>({"retry", "--all"}).which.filter.status == 2);
    CHECK(understood<command::retry>({"retry", "--all", "--force"}).which.filter.status == 2);
    CHECK(contains(refused({"retry", "--all", "--status", "delivered"}), "--force"));
    CHECK(understood<command::retry>({"retry", "--all", "--status", "delivered", "--force"}).which.filter.status == 1);
    for (const char* status : {"delivering", "consumed", "99"})
        refused({"retry", "--all", "--force", "--status", status});

    CHECK(contains(refused({"delete", "--all"}), "--status"));
    CHECK(contains(refused({"delete", "--all", "--exchange", "x", "--force"}), "--status"));
    CHECK(understood<command::remove>({"delete", "--all", "--status", "failed", "-y"}).yes);
    CHECK(understood<command::remove>({"delete", "--all", "--status", "99"}).which.filter.status == 99);
    CHECK(contains(refused({"delete", "--all", "--status", "delivering"}), "--force"));
    CHECK(understood<command::remove>({"delete", "--all", "--status", "delivering", "--force"}).force);
}

TEST_CASE("failures are listed, shown and retried") {
    using action = command::failures::action;
    CHECK(understood<command::failures>({"failures"}).what == action::list);
    const auto list = understood<command::failures>({"failures", "--limit", "5", "--before", "9", "--json"});
    CHECK(list.limit == 5);
    CHECK(list.before == 9);
    const auto show = understood<command::failures>({"failures", "show", "7", "--full", "--json"});
    CHECK(show.what == action::show);
    CHECK(show.entries == std::vector<std::int64_t>{7});
    CHECK(show.full);
    const auto retry = understood<command::failures>({"failures", "retry", "7", "5000000000000000000"});
    CHECK(retry.what == action::retry);
    CHECK(retry.entries == std::vector<std::int64_t>{7, 5'000'000'000'000'000'000});
    for (const auto& wrong :
         {strings{"failures", "show"}, strings{"failures", "retry"}, strings{"failures", "show", "x"},
          strings{"failures", "show", "1", "2"}, strings{"failures", "--limit", "0"}})
        refused(wrong);
}

TEST_CASE("failures are chosen by their conditions, listed and in groups, and with --all retried and deleted") {
    using action = command::failures::action;
    using side = outbox::ledger_entry::side;
    const strings conditions{"--side",   "consumer", "--exchange",    "",   "--routing-key", "k",
                             "--reason", "no stock", "--since",       "2h", "--message-id",  "m",
                             "--limit",  "7",        "--before-time", "1h"};
    const auto with = [&](strings arguments) {
        arguments.insert(arguments.end(), conditions.begin(), conditions.end());
        return arguments;
    };
    for (const auto& [arguments, does] : {std::pair{strings{"failures"}, action::list},
                                          {strings{"failures", "groups"}, action::groups},
                                          {strings{"failures", "retry", "--all"}, action::retry},
                                          {strings{"failures", "delete", "--all"}, action::remove}}) {
        const auto found = understood<command::failures>(with(arguments));
        CHECK(found.what == does);
        CHECK(found.which.filter.side == side::consumer);
        CHECK(found.which.filter.exchange == "");
        CHECK(found.which.filter.routing_key == "k");
        CHECK(found.which.filter.message_id == "m");
        CHECK(found.which.filter.reason == "no stock");
        CHECK(found.which.since == moment(2h));
        CHECK(found.which.before == moment(1h));
        CHECK(found.limit == 7);
        CHECK(found.all == (does == action::retry || does == action::remove));
    }
    CHECK(understood<command::failures>({"failures", "delete", "7", "8"}).entries == std::vector<std::int64_t>{7, 8});
    CHECK(understood<command::failures>({"failures", "retry", "--all", "--force", "--dry-run"}).dry_run);
    CHECK(understood<command::failures>({"failures", "delete", "--all", "--side", "producer", "-y"}).yes);
    CHECK(contains(refused({"failures", "--side", "other"}), "producer or consumer"));
    CHECK(contains(refused({"failures", "delete", "--all"}), "condition"));
    for (const auto& wrong :
         {strings{"failures", "delete"}, strings{"failures", "retry", "7", "--all"},
          strings{"failures", "retry", "7", "--exchange", "x"}, strings{"failures", "delete", "7", "--dry-run"},
          strings{"failures", "show", "7", "--exchange", "x"}, strings{"failures", "--since", "soon"}})
        refused(wrong);
}

TEST_CASE("groups are of failed messages, unless another status is given") {
    CHECK(understood<command::groups>({"groups"}).which.filter.status == 2);
    CHECK(understood<command::groups>({"groups", "--limit", "3"}).limit == 3);
    const auto other = understood<command::groups>({"groups", "--status", "delivering", "--exchange", "x"});
    CHECK(other.which.filter.status == 0);
    CHECK(other.which.filter.exchange == "x");
}

TEST_CASE("status is watched every so often") {
    CHECK_FALSE(understood<command::status>({"status"}).watch);
    CHECK(understood<command::status>({"status", "--watch"}).interval == 2s);
    CHECK(understood<command::status>({"status", "--watch", "--interval", "500ms"}).interval == 500ms);
    for (const char* wrong : {"0", "199ms", "2h", "soon", "-1s"})
        CHECK(contains(refused({"status", "--watch", "--interval", wrong}), "200ms"));
    CHECK(contains(refused({"status", "--interval", "2s"}), "--watch"));
}

TEST_CASE("the cause of a failure is what its entries have in common") {
    using outbox::ledger_entry;
    const auto cause = [](ledger_entry::side side, const std::string& reason) {
        ledger_entry one;
        one.failed_on = side;
        one.reason = reason;
        return outbox::cause_of(one);
    };
    relay::death_certificate died;
    died.reason = "rejected";
    died.queue = "orders";
    died.exception = "no stock";
    died.stack_trace = "at line 7";
    died.died = 1'763'713'800;
    const auto entry = [&](const std::string& letter) {
        return cause(ledger_entry::side::consumer, relay::obituary(died, "orders.dead", letter, ""));
    };
    CHECK(entry("'a' (sha256:1)") == "rejected in queue 'orders': no stock");
    died.deaths = 3;
    died.redrives = 2;
    CHECK(entry("'b'") == "rejected in queue 'orders': no stock");
    died.exception.clear();
    died.stack_trace.clear();
    CHECK(entry("'c'") == "rejected in queue 'orders'");
    CHECK(cause(ledger_entry::side::producer, "312 NO_ROUTE\nmore") == "312 NO_ROUTE");
    CHECK(cause(ledger_entry::side::consumer, "filed by others\nmore") == "filed by others");
    CHECK(cause(ledger_entry::side::producer, "").empty());
}

TEST_CASE("a moment is so long ago, or a time with its offset from UTC") {
    CHECK(parse_moment("2h") == moment(2h));
    CHECK(parse_moment("30d") == moment(720h));
    CHECK(parse_moment("2025-11-21T08:30:00Z") == moment(some_time));
    CHECK(parse_moment("2025-11-21t08:30:00z") == moment(some_time));
    CHECK(parse_moment("2025-11-21 09:30:00+01:00") == moment(some_time));
    CHECK(parse_moment("2025-11-20T23:00:00.250-09:30") == moment(some_time + 250));
    CHECK(parse_moment("2025-11-21T08:30:00.123456Z") == moment(some_time + 123));
    CHECK(parse_moment("1970-01-01") == moment(outbox::epoch_ms{0}));
    CHECK(parse_moment("2024-02-29") == moment(outbox::epoch_ms{1'709'164'800'000}));
    CHECK(resolved(parse_moment("2h"), some_time) == some_time - 7'200'000);
    CHECK(resolved(parse_moment("1970-01-02"), some_time) == 86'400'000);
    for (const char* wrong :
         {"", "soon", "2", "-2h", "2025-02-29", "2025-13-01", "2025-11-21T", "2025-11-21T08:30Z", "2025-11-21T08:30:00",
          "2025-11-21T24:00:00Z", "2025-11-21T08:60:00Z", "2025-11-21T08:30:00.Z", "2025-11-21T08:30:00Zx",
          "2025-11-21T08:30:00+1:00", "2025-11-21T08:30:00+01:60", "2025-1-21", "+025-11-21", "2025-11-21T-8:30:00Z"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_moment(wrong), std::invalid_argument);
        refused({"list", std::string("--since=") + wrong});
    }
}

TEST_CASE("a time that is none is named with what is expected instead") {
    const auto said = refused({"list", "--since", "soon"});
    CHECK(contains(said, "--since"));
    CHECK(contains(said, "2026-11-21T08:30:00Z"));
}

TEST_CASE("times are written in UTC, with their age, and what is no time as the number that it is") {
    constexpr auto most = std::numeric_limits<outbox::epoch_ms>::max();
    CHECK(utc_text(some_time + 7) == "2025-11-21T08:30:00.007Z");
    CHECK(utc_text(-1) == "1969-12-31T23:59:59.999Z");
    CHECK(utc_text(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
    CHECK(utc_text(most) == std::to_string(most));
    CHECK(age_text(some_time, some_time + 125'000) == "2m 5s");
    CHECK(age_text(some_time + 125'000, some_time) == "in 2m 5s");
    CHECK(age_text(std::nullopt, some_time) == "-");
    for (const auto hostile : {most, std::numeric_limits<outbox::epoch_ms>::min()}) {
        CHECK(age_text(hostile, some_time) == std::to_string(hostile));
        CHECK(time_text(hostile, some_time) == std::to_string(hostile));
    }
    CHECK(time_text(some_time, some_time + 125'000) == "2025-11-21T08:30:00.000Z  (2m 5s ago)");
    CHECK(time_text(some_time + 125'000, some_time) == "2025-11-21T08:32:05.000Z  (in 2m 5s)");
}

TEST_CASE("a list fits the terminal: its last columns are cut first, then columns are left out") {
    using align = table::align;
    const std::vector<list_column> columns{
        {"ID", align::left, 4, 0}, {"N", align::right, 3, 2}, {"WHY", align::left, 5, 1}};
    const std::vector<strings> rows{{"abcd", "1", "ümläut reason"}, {"e", "1000", "no\nbreak\x1b[2J"}};
    CHECK(print_list(columns, rows, 0) ==
          "ID       N  WHY\nabcd     1  ümläut reason\ne     1000  no\\nbreak\\x1b[2J\n");
    CHECK(print_list(columns, rows, 80) == print_list(columns, rows, 0));
    CHECK(print_list(columns, rows, 20) == "ID       N  WHY\nabcd     1  ümläut …\ne     1000  no\\nbre…\n");
    CHECK(print_list(columns, rows, 16) == "ID      N  WHY\nabcd    1  ümlä…\ne     10…  no\\n…\n");
    CHECK(print_list(columns, rows, 15) == "ID    WHY\nabcd  ümläut r…\ne     no\\nbrea…\n");
    CHECK(print_list(columns, rows, 8) == "ID\nabcd\ne\n");
    CHECK(print_list(columns, rows, 1) == "ID\nabcd\ne\n");
}

TEST_CASE("JSON is indented without changing a value") {
    CHECK(indented_json(R"({"a":[1,{"b":[]},12345678901234567890123,1.0e5],"c":{},"d":"x,{}:[]\"\\"})") ==
          "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    },\n    12345678901234567890123,\n    1.0e5\n  ],\n"
          "  \"c\": {},\n  \"d\": \"x,{}:[]\\\"\\\\\"\n}");
    CHECK(indented_json(" \"text\" ") == "\"text\"");
    CHECK(indented_json("[ ]") == "[]");
    for (const char* text :
         {R"([1, "ü😀", {"a": [true, false, null, -0.5]}, [[[]]]])", "{}", "7", R"({"a": {"b": {}}})"})
        CHECK(nlohmann::json::parse(indented_json(text)) == nlohmann::json::parse(text));
    for (const char* wrong : {"", "{", "no json", "{\"a\": 1", "[1] 2"}) CHECK(indented_json(wrong).empty());
}

TEST_CASE("a body is shown as JSON, as lines of text, or as bytes, and steers no terminal") {
    CHECK(body_text(R"({"a":1})", true) == "{\n  \"a\": 1\n}\n");
    CHECK(body_text("one\ntwo\n", true) == "one\ntwo\n");
    CHECK(body_text("a\x1b[2J\tb\nü", true) == "a\\x1b[2J\\x09b\nü\n");
    CHECK(body_text("", true).empty());
    CHECK(body_text(std::string("\xFF\x00"
                                "A",
                                3),
                    true) == "00000000  ff 00 41 " + std::string(39, ' ') + " ..A\n");
    CHECK(body_text(std::string(17, '\xFE'), true).substr(76, 17) == "00000010  fe     ");
    // The first bytes of a longer one.
    CHECK(body_text("a\xF0\x9F\x98", false) == "a\n");
    CHECK(body_text("aü", false) == "aü\n");
    CHECK(body_text("[1]", false) == "[1]\n");
    CHECK(contains(body_text("a\xF0\x9F\x98", true), "f0 9f 98"));
    CHECK(contains(body_text("\xFFx\xF0\x9F\x98", false), "f0 9f 98"));
}
